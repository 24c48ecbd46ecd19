import {appFailure, hasFailed, type AppOutcome, type RunOutcome} from './outcome.ts'
import {plainText} from './plain-text.ts'
import {ownOf} from '../../../model/own.ts'

interface Case {
  readonly suite: 'run' | 'apps'
  readonly name: string
  readonly tookMs: number
  /** Message of the failure; empty for a passed case. */
  readonly failure: string
  readonly details: string
}

/** A JUnit report: a case for each step of the run, and one for each app (the format that Jenkins, GitLab and GitHub actions read). */
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
