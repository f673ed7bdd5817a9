// What a shell needs to ask `mesh complete` while a line is typed. The answer is one candidate a line, a tab and
// what it is; `:files` alone means files. Nothing here knows a verb: the scripts never grow old.
import { MeshError } from '../errors.ts';

export const SHELLS = ['zsh', 'bash', 'fish'] as const;

const ZSH = `#compdef mesh
# mesh completion zsh > "\${fpath[1]}/_mesh"      or in ~/.zshrc: source <(mesh completion zsh)
_mesh() {
  local line word about
  local -a candidates
  for line in "\${(@f)$(mesh complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z $line ]] && continue
    if [[ $line == :files* ]]; then _files; continue; fi
    word="\${line%%$'\\t'*}"
    about="\${line#*$'\\t'}"
    candidates+=("\${word//:/\\\\:}:$about")
  done
  (( \${#candidates} )) && _describe -V mesh candidates
}
if [[ "\${funcstack[1]}" == _mesh ]]; then _mesh "$@"; else compdef _mesh mesh; fi
`;

const BASH = `# in ~/.bashrc: source <(mesh completion bash)
_mesh() {
  local line cur="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files* ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur")
    elif [[ -n $line ]]; then
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done < <(mesh complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _mesh mesh
`;

const FISH = `# mesh completion fish > ~/.config/fish/completions/mesh.fish
function __mesh_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (mesh complete -- $words[2..-1] 2>/dev/null)
        if string match -q ':files*' -- $line
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c mesh -f -a '(__mesh_complete)'
`;

export function completionScript(shell: string): string {
  const scripts: Readonly<Record<string, string>> = { zsh: ZSH, bash: BASH, fish: FISH };
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (script !== undefined) return script;
  throw new MeshError('USAGE', `no completion for "${shell.slice(0, 40)}"`, {
    hint: `mesh completion ${SHELLS.join('|')}`,
  });
}
