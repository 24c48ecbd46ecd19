import type * as Api from '../../../model/api.generated.ts'
import {isUsable} from '../../../model/availability.ts'
import {localTime} from '../call-table.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {print} from '../print.ts'
import {UserError} from '../../../model/errors.ts'
import {isNamedSo, versionedName} from '../../../model/plan.ts'
import {isVersion, readAppName} from '../../../observe/api/apps.ts'
import {lastExits, type LastExits} from '../../../run/last-exits.ts'
import type {GivenFlags} from '../given-flags.ts'
import {commandPlace, shownPath} from '../pick-run.ts'
import {runHere} from '../run-here.ts'
import {deathText} from '../death-text.ts'
import {foldedFor, hintOf} from '../say.ts'

/** `why ID`: why an app is not running, or its last exit; `why NUMBER`: one exit; `why`: all apps that are not ready. */
export const why: CommandHandler = async ({flags, words, asJson}) => {
  const [what, ...others] = words
  if (others.length > 0) throw new UsageError('why takes the id of one app or the number of an exit')
  const output = flags.text('output') ?? ''
  if (flags.isSet('last-run')) return lastRun(flags, what, output)
  const run = await runHere(flags, asJson).catch((error: unknown) => {
    throw withLastRun(error, flags)
  })
  if (what !== undefined && /^\d+$/.test(what)) {
    const death = await run.api.ask('GET /deaths/{number}', {at: {number: what}})
    print(
      process.stdout,
      output === 'json' ? `${JSON.stringify(death)}\n` : foldedFor(process.stdout, deathText(death))
    )
    return 0
  }
  const ids = what === undefined ? run.listing.apps.map(({id}) => id) : [what]
  const views = await Promise.all([...new Set(ids)].map(async id => run.api.ask('GET /apps/{id}/why', {at: {id}})))
  const {troubles} = await run.api.ask('GET /troubles')
  const shown = what === undefined ? worstFirst(views, troubles) : views
  if (output === 'json') print(process.stdout, `${JSON.stringify(what === undefined ? shown : shown[0])}\n`)
  else {
    const texts = shown.length === 0 ? ['All apps are ready.\n'] : shown.map(view => whyText(view, troubles))
    print(process.stdout, foldedFor(process.stdout, texts.join('\n')))
  }
  return 0
}

const isTroubled = ({app, instances, stalled}: Api.Why, troubles: readonly Api.Trouble[]): boolean =>
  stalled.length > 0 ||
  instances.some(({availability, isReady, reason}) => !isUsable(availability) || (isReady && reason !== '')) ||
  troubles.some(trouble => trouble.app === app)

/** Returns the apps that need the attention of the user, in the order of their troubles. */
function worstFirst(views: readonly Api.Why[], troubles: readonly Api.Trouble[]): readonly Api.Why[] {
  const order = [...troubles, ...views].map(({app}) => app)
  const shown = views.filter(view => isTroubled(view, troubles))
  return shown.toSorted((a, b) => order.indexOf(a.app) - order.indexOf(b.app))
}

const exitsOf = (flags: GivenFlags): {readonly template: string; readonly exits: LastExits | undefined} => {
  const {template = '', name = ''} = commandPlace(flags)
  return {template, exits: template === '' ? undefined : lastExits(process.env, template, name)}
}

/** `why --last-run`: the exits of a run that has ended or was killed. `what`: an app, or the number of an exit. */
function lastRun(flags: GivenFlags, what: string | undefined, output: string): number {
  const {template, exits} = exitsOf(flags)
  const all = exits?.deaths ?? []
  const wanted = readAppName({id: encodeURIComponent(what ?? '')})
  const deaths = all.filter(
    ({app: id, name, version, number}) =>
      what === undefined ||
      number.toString() === what ||
      (isNamedSo({id, name}, wanted.id) && isVersion(wanted, version))
  )
  if (output === 'json') {
    print(process.stdout, `${JSON.stringify(deaths)}\n`)
    return 0
  }
  const of = template === '' ? 'a template' : shownPath(template)
  if (exits === undefined) throw new UserError(`no exit of a run of ${of} is known`)
  const {pid, startedAt} = exits
  const run = `The run of ${of} with pid ${pid}, started at ${localTime({at: new Date(startedAt).toISOString()})}`
  if (deaths.length === 0) {
    const apps = [...new Set(all.map(versionedName))].join(', ')
    throw new UserError(`no exit of ${what ?? ''} is known`, {
      explanation: `${run}, has exits of ${apps}.`,
      code: 'not-found'
    })
  }
  const latest = [...new Map(deaths.map(death => [versionedName(death), death])).values()]
  const more = deaths.length > latest.length ? `${deaths.length} exits are recorded; the last one of each app:\n` : ''
  print(process.stdout, `${run}\n${more}\n${latest.map(death => deathText(death, {isOver: true})).join('\n')}`)
  return 0
}

function withLastRun(error: unknown, flags: GivenFlags): unknown {
  if (!(error instanceof UserError) || exitsOf(flags).exits === undefined) return error
  const {message, exitCode} = error
  const explanation = hintOf(error.explanation, '"pillion why --last-run" shows how the apps of the last run exited.')
  return new UserError(message, {explanation, exitCode, cause: error})
}

/** Describes the state of an app, its troubles, and its last exit. */
export function whyText({app, instances, stalled, death, deaths}: Api.Why, troubles: readonly Api.Trouble[]): string {
  const own = troubles.filter(trouble => trouble.app === app)
  const states = instances.map(({name, version, isReady, reason}) => {
    const ofIt = own.filter(trouble => trouble.name === name && ['', version].includes(trouble.version))
    // omits calls that waited in vain: the reason of the state explains them
    const shown = ofIt.filter(({kind, error}) => kind !== 'calls' || reason === '' || !error.startsWith('waited '))
    const isExplained = shown.some(({kind, text}) => OF_STATE.has(kind) || text.startsWith(reason))
    const texts = shown.map(troubleText).join('')
    if (reason !== '' && !isExplained) return `${reason}\n${texts}`
    if (texts !== '') return texts
    return isReady ? `"${name}" is ready\n` : `"${name}" is running, but not ready\n`
  })
  states.push(...stalled.map(({name, id, failure}) => `workflow ${name} ${id} is stalled: ${failure}\n`))
  if (death === null) return states.join('')
  const more = deaths > 1 ? `\n${deaths} exits of "${app}" are recorded.\n` : ''
  const isTold = own.some(trouble => trouble.death === death.number && trouble.text.includes(death.exit))
  return `${states.join('')}\n${deathText(death, {isTold})}${more}`
}

/** Kinds of trouble that describe the state of an app. */
const OF_STATE: ReadonlySet<Api.Trouble['kind']> = new Set(['loop', 'exit', 'blocked'])

/** Describes a trouble and the calls that failed because of it. */
function troubleText({kind, text, error, request, failed, failedCalls}: Api.Trouble): string {
  const edges = failed.map(({from, to, calls}) => `${from} → ${to} ×${calls}`)
  const because = failedCalls === 0 ? '' : `  failed because of it: ${edges.join(', ')}\n`
  if (kind !== 'calls' || request === null) return `${text}\n${because}`
  const {number, from, method, path, status} = request
  const end = error === '' ? status : error
  return `${text}\n  the latest: ${method} ${path} from ${from}: ${end} (pillion calls ${number})\n${because}`
}
