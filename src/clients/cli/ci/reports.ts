import type {ConsoleOutput} from '../../../observe/logging/console.ts'
import {messageOf} from '../../../model/errors.ts'
import {writeGiven} from '../write-given.ts'
import {addSummary, annotations, isOnGitHub, withoutCommands} from './github.ts'
import {junitXml} from './junit.ts'
import type {CommandRunOptions} from './options.ts'
import type {RunOutcome} from './outcome.ts'
import {outcomeText} from './outcome-text.ts'
import {ReportFolder} from './report-folder.ts'

/** The formats of an outcome: text, JUnit, a folder, annotations. */
export class Reports {
  readonly folder: ReportFolder | undefined
  readonly #junit: string
  readonly #isOnGitHub = isOnGitHub(process.env)

  private constructor(folder: ReportFolder | undefined, junit: string) {
    this.folder = folder
    this.#junit = junit
  }

  /** Throws a UserError where something cannot be written: at the start, not when all is done. */
  static async open({junit, report}: CommandRunOptions, warn: (text: string) => void): Promise<Reports> {
    if (junit !== '') writeGiven(junit, '')
    return new Reports(report === '' ? undefined : await ReportFolder.open(report, warn), junit)
  }

  /** Text that may have output of apps in it. */
  safe(text: string): string {
    return this.#isOnGitHub && MAYBE_COMMAND.test(text) ? withoutCommands(text) : harmless(text)
  }

  /** Ends the reports after the run. Returns the text to print. */
  async finish(outcome: RunOutcome, warn: (text: string) => void): Promise<string> {
    await this.folder?.finish(outcome)
    try {
      if (this.#junit !== '') writeGiven(this.#junit, junitXml(outcome))
    } catch (error) {
      warn(messageOf(error))
    }
    const text = outcomeText(outcome)
    if (!this.#isOnGitHub) return harmless(text)
    const fault = addSummary(outcome, process.env)
    if (fault !== '') warn(`cannot write the step summary: ${fault}`)
    return withoutCommands(text) + annotations(outcome, process.env)
  }
}

/** Text that GitHub's runner may take for a command. */
const MAYBE_COMMAND = /(?:^|[\r\n])\s*::|##\[/

const isInCi = ['CI', 'GITHUB_ACTIONS', 'TF_BUILD', 'TEAMCITY_VERSION'].some(name => process.env[name] !== undefined)

/**
 * Keeps lines of apps from being taken for commands in CI: GitHub and Azure find `##[` and `##vso[` anywhere in a line, TeamCity
 * `##teamcity[`, and a `\r` ends a line for them.
 */
const harmless = (text: string): string =>
  isInCi ? text.replace(/##(?=\[|vso\[|teamcity\[)/g, '# #').replace(/\r(?!\n)/g, String.raw`\x0d`) : text

/** The console of apps in CI: each line has a prefix, so that it begins with no command. */
export const harmlessOutput = (output: ConsoleOutput): ConsoleOutput =>
  isInCi
    ? {
        write: text => output.write(harmless(text)),
        get midLine() {
          return output.midLine
        }
      }
    : output
