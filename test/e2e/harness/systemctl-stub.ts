// A `systemctl` for PATH that starts and ends what a user unit says: in a container there is no session of systemd.
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** The environment in which the user of `userHome` has services. What is asked is written to `folder`/asked; while
 * there is a `folder`/broken, everything is refused. */
export async function systemctlFor(
  folder: string,
  userHome: string,
): Promise<{ PATH: string; HOME: string }> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const program = join(bin, 'systemctl');
  await writeFile(program, script(folder, userHome));
  await chmod(program, 0o755);
  return { PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`, HOME: userHome };
}

function script(folder: string, userHome: string): string {
  return `#!/bin/sh
echo "$*" >> '${folder}/asked'
[ -e '${folder}/broken' ] && { echo 'Failed to connect to bus' >&2; exit 1; }
unit='${userHome}/.config/systemd/user/mesh.service'
pidfile='${folder}/pid'
# An ended process that nobody reaps is a zombie; where there is no /proc, there is somebody.
lives() {
  [ -d /proc/self ] || { kill -0 "$1" 2>/dev/null; return; }
  case "$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null)" in ''|Z*) return 1;; esac
}
# As the real one, it comes back when the process has ended.
end() {
  [ -e "$pidfile" ] || return 1
  pid=$(cat "$pidfile"); rm "$pidfile"; kill "$pid" || return 1
  while lives "$pid"; do sleep 0.02; done
}
case "$2" in
  start|restart)
    program=$(sed -n 's/^ExecStart=\\/bin\\/sh "\\(.*\\)"$/\\1/p' "$unit")
    [ "$2" = restart ] && end
    /bin/sh "$program" >/dev/null 2>&1 & echo $! > "$pidfile";;
  stop|disable) end;;
  is-active) [ -e "$pidfile" ] && kill -0 "$(cat "$pidfile")";;
esac
exit $?
`;
}
