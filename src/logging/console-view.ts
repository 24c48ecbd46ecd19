/** How the console shows the lines of apps; may change during the run. Log files are not affected. */
export interface ConsoleView {
  /** Whether lines of this app are shown; `name` is the name in its prefix. */
  shows(name: string): boolean
  /** The text before the prefix of a line that is written now, latin1: the time, or ''. */
  stamp(): string
}
