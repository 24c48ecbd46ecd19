import type {Rig, TemplateApp} from '../rig/rig.ts'
import {Screen, type ScreenOptions} from '../rig/screen.ts'

/** A shell that a test drives. Interactive ones take SIGTERM for nothing. */
export const SHELL: TemplateApp = {
  appID: 'shell',
  tty: true,
  command: ['bash', '--norc', '--noediting', '-i'],
  env: {PS1: 'ready> '},
  stop: {signal: 'SIGHUP'}
}

/** `pillion attach`, and behind it what it exits with. */
export const attached = (rig: Rig, args: readonly string[], options?: ScreenOptions): Screen =>
  new Screen(rig, ['sh', '-c', '"$@"; echo "code=$?"', 'sh', ...rig.program, 'attach', ...args], options)

export const runOf = async (rig: Rig, apps: readonly TemplateApp[] = [SHELL]): Promise<ReturnType<Rig['pillion']>> => {
  await rig.template(apps)
  const run = rig.pillion(['run', '-f', '.'])
  for (const {appID} of apps) await run.ports(appID)
  return run
}

/** Ctrl-P Ctrl-Q. */
export const DETACH = '\x10\x11'
