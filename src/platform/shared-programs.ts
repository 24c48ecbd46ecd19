/**
 * Programs that an app may start and that then belong to the user, or to several projects: browsers, and the daemons of build tools.
 * They inherit the environment of the app, and outlive it. As extended regular expressions (POSIX) of their command lines, for
 * JavaScript and for grep.
 */
export const SHARED_PROGRAM = [
  '^([^ ]*/)?((google-)?chrom(e|ium)([-_][^ ]*)?|firefox([-_][^ ]*)?|brave(-browser)?|msedge|microsoft-edge[^ ]*)( |$)',
  '^([^ ]*/)?(opera|vivaldi(-[^ ]*)?|epiphany|librewolf|zen(-bin)?|watchman|tmux)( |$)',
  '/Contents/MacOS/(Google Chrome|Chromium|[Ff]irefox|Brave Browser|Microsoft Edge|Opera|Vivaldi|Safari|Arc)',
  '/nx/(dist/)?src/(daemon|project-graph/plugins)/',
  'GradleDaemon|VBCSCompiler|/nodeReuse:true'
].join('|')

/** A browser that a program drives, such as a test's: it is the app's. */
export const AUTOMATED_BROWSER = ' --?(headless|remote-debugging-|enable-automation|marionette|juggler)'

const shared = new RegExp(SHARED_PROGRAM)
const automated = new RegExp(AUTOMATED_BROWSER)

/** Whether a process with this command line is left alone when the app that started it ends, unless it is in the app's process group. */
export const isSharedProgram = (command: string): boolean => shared.test(command) && !automated.test(command)
