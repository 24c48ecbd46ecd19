/** How the lines of apps are shown on the console; that may change while the run lives. Files know nothing of it. */
export interface ConsoleView {
  /** Whether lines of this app are shown, by the name that its prefix has. */
  shows(name: string): boolean
  /** What stands before the prefix of a line that comes now, latin1: the time, or ''. */
  stamp(): string
}
