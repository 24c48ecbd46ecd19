import type {ConsoleOutput} from '../../../observe/logging/console.ts'
import {messageOf} from '../../../model/errors.ts'
import {writeGiven} from '../write-given.ts'
import {addSummary, annotations, isOnGitHub, withoutCommands} from './github.ts'
import type {CommandRunOptions} from './options.ts'
import {type RunOutcome, appFailure, hasFailed, type AppOutcome, outcomeText, plainText} from './outcome.ts'
import {ReportFolder} from './report-folder.ts'
import {ownOf} from '../../../model/own.ts'

/** The formats of an outcome: text, JUnit, a folder, annotations. */
export class Reports {
  readonly folder: ReportFolder | undefined
  readonly #junit: string
  readonly #isOnGitHub = isOnGitHub(process.env)

  private constructor(folder: ReportFolder | undefined, junit: string) {
    this.folder = folder
    this.#junit = junit
  }

  /** Opens the files of the reports. Throws a UserError now, not at the end, if a file cannot be written. */
  static async open({junit, report}: CommandRunOptions, warn: (text: string) => void): Promise<Reports> {
    if (junit !== '') writeGiven(junit, '')
    return new Reports(report === '' ? undefined : await ReportFolder.open(report, warn), junit)
  }

  /** Returns a text that may contain output of apps, so that no CI system finds commands in it. */
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

/** Matches text that GitHub's runner may take for a command. */
const MAYBE_COMMAND = /(?:^|[\r\n])\s*::|##\[/

const isInCi = ['CI', 'GITHUB_ACTIONS', 'TF_BUILD', 'TEAMCITY_VERSION'].some(name => process.env[name] !== undefined)

/**
 * Keeps lines of apps from being taken for commands in CI: GitHub and Azure find `##[` and `##vso[` anywhere in a line, TeamCity
 * `##teamcity[`, and a `\r` ends a line for them.
 */
const harmless = (text: string): string =>
  isInCi ? text.replace(/##(?=\[|vso\[|teamcity\[)/g, '# #').replace(/\r(?!\n)/g, String.raw`\x0d`) : text

/** Returns a console for the output of apps that is `harmless` in CI. Commands at the start of a line cannot occur: each line has a prefix. */
export const harmlessOutput = (output: ConsoleOutput): ConsoleOutput =>
  isInCi
    ? {
        write: text => output.write(harmless(text)),
        get midLine() {
          return output.midLine
        }
      }
    : output

interface Case {
  readonly suite: 'run' | 'apps'
  readonly name: string
  readonly tookMs: number
  /** Message of the failure; empty for a passed case. */
  readonly failure: string
  readonly details: string
}

/** Returns a JUnit report: a case for each step of the run, and one for each app (the format that Jenkins, GitLab and GitHub actions read). */
export function junitXml({template, checks, apps, startedAt}: RunOutcome): string {
  const cases: readonly Case[] = [
    ...checks.map(({name, tookMs, failure}) => ({suite: 'run' as const, name, tookMs, failure, details: failure})),
    ...apps.map(app => ({
      suite: 'apps' as const,
      name: app.name,
      tookMs: 0,
      failure: appFailure(app),
      details: hasFailed(app) ? detailsOf(app) : ''
    }))
  ]
  const failures = cases.filter(({failure}) => failure !== '').length
  const ms = checks.reduce((sum, {tookMs}) => sum + tookMs, 0)
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="0" time="${inSeconds(ms)}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    `<testsuites name="pillion" ${counts}>\n`,
    `  <testsuite name=${quoted(template)} ${counts} timestamp="${startedAt.toISOString()}">\n`,
    ...cases.map(caseXml),
    '  </testsuite>\n</testsuites>\n'
  ].join('')
}

function caseXml({suite, name, tookMs, failure, details}: Case): string {
  const head = `    <testcase classname="pillion.${suite}" name=${quoted(name)} time="${inSeconds(tookMs)}"`
  if (failure === '') return `${head}/>\n`
  return `${head}>\n      <failure message=${quoted(failure)}>${escaped(details)}</failure>\n    </testcase>\n`
}

function detailsOf(app: AppOutcome): string {
  const {place, lines, logFile} = app
  return [
    appFailure(app),
    place === undefined ? '' : `${place.file}:${place.line}`,
    lines.length === 0 ? 'It wrote nothing.' : `Its last lines:\n${lines.join('\n')}`,
    logFile === '' ? '' : `The whole log: ${logFile}`
  ]
    .filter(part => part !== '')
    .join('\n')
}

const inSeconds = (ms: number): string => (ms / 1000).toFixed(3)

const ENTITIES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'}

const escaped = (text: string): string =>
  plainText(text).replace(/[&<>"]/g, character => ownOf(ENTITIES, character) ?? '')

/** A parser makes spaces of line ends in the value of an attribute, unless they are references (XML 1.0, 3.3.3). */
const quoted = (text: string): string => `"${escaped(text).replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')}"`
