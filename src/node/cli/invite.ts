// mesh invite, mesh approve CODE: a person lets a machine in that neither the key nor Tailscale vouches for.
import { type Context, refuseVia, withPeer } from './context.ts';
import { parseDuration } from './options.ts';
import { printJson } from './output/json.ts';

export async function invite(context: Context, flags: { readonly valid: string }): Promise<number> {
  refuseVia(context, 'invite');
  const validMs = parseDuration(flags.valid, '--valid');
  const view = await withPeer(context, (peer) => peer.invite(validMs));
  if (context.json) printJson(context.out, view);
  else {
    context.out.line(`mesh join --invite ${view.invite}`);
    if (!context.quiet && context.err.isTty) {
      context.err.line(
        `  good once, until ${view.expiresAt}, while this machine can be reached; keep it secret`,
      );
    }
  }
  return 0;
}

export async function approve(context: Context, code: string): Promise<number> {
  refuseVia(context, 'approve');
  const view = await withPeer(context, (peer) => peer.approve(code));
  if (context.json) printJson(context.out, view);
  else if (!context.quiet) {
    context.out.line('approved: repeat the join on the new machine within 15 minutes');
  }
  return 0;
}
