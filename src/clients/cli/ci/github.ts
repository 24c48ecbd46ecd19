import {randomBytes} from 'node:crypto'
import {appendFileSync} from 'node:fs'
import {isAbsolute, relative, resolve} from 'node:path'
import type {Environment} from '../../../model/environment.ts'
import {messageOf, type Place, type UserError} from '../../../model/errors.ts'
import {seconds, appFailure, hasFailed, type AppOutcome, type RunOutcome, plainText} from './outcome.ts'

export const isOnGitHub = ({GITHUB_ACTIONS}: Environment): boolean => GITHUB_ACTIONS === 'true'

/** Returns annotations for failures, each at the line of the app in the template. */
export function annotations({apps, checks, template}: RunOutcome, env: Environment): string {
  const failed = apps.filter(hasFailed)
  const ofApps = failed.map(app => command('error', placeOf(app.place, env, app.name), messageFor(app)))
  const others = checks.filter(({failure}) => failure !== '')
  const ofChecks = others.map(({failure}) => command('error', {title: template}, failure))
  return [...ofApps, ...ofChecks].join('')
}

export const mistakeAnnotations = ({message, mistakes}: UserError, env: Environment): string =>
  mistakes.length === 0
    ? command('error', {}, message)
    : mistakes.map(({message: text, place}) => command('error', placeOf(place, env, 'template'), text)).join('')

function messageFor(app: AppOutcome): string {
  const lines = app.lines.slice(-LINES).map(line => `  ${line}`)
  return [appFailure(app), ...(lines.length === 0 ? [] : ['Its last lines:', ...lines])].join('\n')
}

const LINES = 10

/** Returns the place for an annotation. A path in the repository is relative to it. */
function placeOf(place: Place | undefined, {GITHUB_WORKSPACE: top}: Environment, name: string): Properties {
  if (place === undefined || place.file === '-') return {title: name}
  const file = resolve(place.file)
  const inside = top === undefined ? '' : relative(top, file)
  const isInside = inside !== '' && !inside.startsWith('..') && !isAbsolute(inside)
  return {file: isInside ? inside : place.file, line: place.line.toString(), title: name}
}

type Properties = Readonly<Record<string, string>>

/** Returns a workflow command, escaped by the rules of the runner's `ActionCommand.cs` and of `@actions/core`. */
function command(name: string, properties: Properties, message: string): string {
  const written = Object.entries(properties).map(([key, value]) => `${key}=${escapedProperty(plainText(value))}`)
  return `::${name} ${written.join(',')}::${escapedData(plainText(message))}\n`
}

const escapedData = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')

const escapedProperty = (text: string): string => escapedData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')

/** Encloses text that contains output of apps, so that GitHub's runner executes no workflow commands in it. */
export function withoutCommands(text: string): string {
  if (text === '') return ''
  const token = randomBytes(16).toString('hex')
  return `::stop-commands::${token}\n${text.endsWith('\n') ? text : `${text}\n`}::${token}::\n`
}

/** Adds a table to the summary of the step. Returns why that failed; '': it did not. */
export function addSummary(outcome: RunOutcome, {GITHUB_STEP_SUMMARY: file}: Environment): string {
  if (file === undefined || file === '') return ''
  try {
    appendFileSync(file, summaryText(outcome))
    return ''
  } catch (error) {
    return messageOf(error)
  }
}

function summaryText({template, command: line, exitCode, checks, apps}: RunOutcome): string {
  const sign = exitCode === 0 ? '✅' : '❌'
  const rows = [
    ...checks.map(({name, tookMs, failure}) => [
      failure === '' ? '✅' : '❌',
      cell(name),
      cell(failure === '' ? seconds(tookMs) : failure)
    ]),
    ...apps.map(app => [
      hasFailed(app) ? '❌' : '✅',
      cell(app.name),
      cell(hasFailed(app) ? appFailure(app) : app.state)
    ])
  ]
  const table = rows.map(cells => `| ${cells.join(' | ')} |\n`).join('')
  return `### ${sign} ${cell(template)}: ${cell(line)}\n\nexit code ${exitCode}\n\n| | | |\n|---|---|---|\n${table}\n`
}

const MAX_CELL = 500

/** Escapes a text for a cell of a Markdown table: it has no effect as Markdown or HTML. */
function cell(text: string): string {
  const plain = plainText(text).replaceAll(/\s*\n\s*/g, ' ')
  return (plain.length > MAX_CELL ? `${plain.slice(0, MAX_CELL)}…` : plain)
    .replace(/[\\`*_{}[\]#|~@!]/g, String.raw`\$&`)
    .replace(/[&<>]/g, character => `&#${character.charCodeAt(0)};`)
}
