/*
 * Programs that an app may start and that belong to more than the app. Since they inherit its environment, they would be
 * ended as a process that has left the app's group. Extended regular expressions (POSIX) of their command lines, for JavaScript
 * and for grep.
 */

/** Editors, which pages of dev servers open at a line. Programs in them and in their terminals are the user's, too. */
export const EDITOR = [
  '^[^ ]*/share/(code/code|code-insiders/code-insiders|codium/codium|cursor/cursor|windsurf/windsurf)( |$)',
  '^[^ ]*/(visual-studio-code/code|sublime_text/sublime_text|zed-editor)( |$)',
  '/(Visual Studio Code|VSCodium|Cursor|Windsurf|Sublime Text|Zed)[^/]*[.]app/Contents/(MacOS|Frameworks)/'
].join('|')

/** The user's browsers, tmux, and editors: we never end them. */
export const USERS_PROGRAM = [
  '^([^ ]*/)?((google-)?chrom(e|ium)([-_][^ ]*)?|firefox([-_][^ ]*)?|brave(-browser)?|msedge|microsoft-edge[^ ]*)( |$)',
  '^([^ ]*/)?(opera(-beta|-developer)?|vivaldi(-[^ ]*)?|epiphany(-browser)?|librewolf|zen(-bin)?|tmux)( |$)',
  '/Contents/MacOS/(Google Chrome|Chromium|[Ff]irefox|Brave Browser|Microsoft Edge|Opera|Vivaldi|Safari|Arc)',
  EDITOR
].join('|')

/** A browser that a program drives, such as a test's: it is the app's. */
export const AUTOMATED_BROWSER = ' --?(headless|remote-debugging-|enable-automation|marionette|juggler)'

/** Daemons of build tools, which other apps and terminals use, too. */
const DAEMON =
  /\/nx\/(dist\/)?src\/(daemon|project-graph\/plugins)\/|GradleDaemon|KotlinCompileDaemon|org\.mvndaemon\.|VBCSCompiler|\/nodeReuse:true|^([^ ]*\/)?(watchman( |$)|adb .*fork-server |sccache$|turbo (--skip-infer )?daemon( |$)|bazel\()/
const users = new RegExp(USERS_PROGRAM)
const editors = new RegExp(EDITOR)
const automated = new RegExp(AUTOMATED_BROWSER)

/** Whether a command line is an editor's. Descendants of editors are left alone, too. */
export const isEditor = (command: string): boolean => editors.test(command) && !automated.test(command)

/** Whether a process with this command line is left alone even when the run ends, unless it is in the process group of its app. */
export const isUsersProgram = (command: string): boolean => users.test(command) && !automated.test(command)

/** Whether a program outlives the app that started it, since other apps share it. */
export const outlivesItsApp = (command: string): boolean => isUsersProgram(command) || DAEMON.test(command)
