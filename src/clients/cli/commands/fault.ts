import type * as Api from '../../../model/api.generated.ts'
import type {FoundRun} from '../../../control/client.ts'
import {addedText} from '../fault-text.ts'
import {UserError} from '../../../model/errors.ts'
import {ANY} from '../../../model/fault.ts'
import {type CommandContext, type CommandHandler, UsageError} from '../command-handler.ts'
import type {GivenFlags} from '../given-flags.ts'
import {print} from '../print.ts'
import {runHere} from '../run-here.ts'
import {say} from '../say.ts'
import {fittingTable} from '../table.ts'
import {flagDuration} from '../since.ts'
import {outputColumns} from '../width.ts'
import {emptyRecord} from '../../../model/own.ts'

/** Flags whose names are keys of a fault in the run's API. */
const TEXTS = ['delay', 'jitter', 'status', 'body', 'rate', 'seed', 'times', 'for', 'actor', 'method', 'path'] as const
const SWITCHES = ['abort', 'never', 'cut', 'kill'] as const
const TIMES = ['delay', 'jitter', 'for'] as const
/** Words of other tools for `--off all`. */
const CLEAR: ReadonlySet<string> = new Set(['clear', 'reset'])
/** Flags that change existing faults. */
const VERBS = ['off', 'disable', 'enable'] as const

/** `fault FROM TO …` makes calls fail, `fault` lists faults, `fault --off N|all` ends them, `--disable` pauses them until `--enable`. */
export const fault: CommandHandler = async context => {
  const {flags, words, asJson} = context
  const what = fieldsOf(flags)
  const [verb, other] = VERBS.filter(name => flags.text(name) !== undefined)
  if (verb !== undefined && (other !== undefined || words.length > 0 || Object.keys(what).length > 0))
    throw new UsageError(`--${verb} cannot be combined with others: it takes the number of a fault, or all`)
  if (verb !== undefined) {
    const which = flags.text(verb) ?? ''
    if (which !== 'all' && !/^\d{1,10}$/.test(which))
      throw new UsageError(`invalid argument "${which}" for "--${verb}" flag: expected the number of a fault, or all`)
    const run = await runHere(flags, asJson)
    return verb === 'off'
      ? takeOff(run, which, context)
      : enable(run, which, {...context, isEnabled: verb === 'enable'})
  }
  const isBare = Object.keys(what).length === 0
  const [word] = isBare && words.length === 1 ? words : []
  if (word !== undefined && CLEAR.has(word)) return takeOff(await runHere(flags, asJson), 'all', context)
  if (isBare && (words.length === 0 || word === 'list')) {
    const {api} = await runHere(flags, asJson)
    const {faults} = await api.ask('GET /faults')
    print(process.stdout, flags.text('output') === 'json' ? `${JSON.stringify(faults)}\n` : tableText(faults))
    return 0
  }
  const [from, to] = words.length === 0 && 'actor' in what ? [ANY, ANY] : edgeOf(words)
  const run = await runHere(flags, asJson)
  const {faults} = await run.api.ask('POST /faults', {body: {from, to, ...what}})
  for (const row of faults) {
    const text = `${addedText(row)}. It ends with the run, or by: pillion fault --off ${row.number}`
    if (flags.text('output') === 'json') print(process.stdout, `${JSON.stringify(row)}\n`)
    else say(process.stdout, 'success', text, asJson)
  }
  return 0
}

async function takeOff(run: FoundRun, off: string, context: CommandContext): Promise<number> {
  const {removed} =
    off === 'all'
      ? await run.api.ask('DELETE /faults')
      : await run.api.ask('DELETE /faults/{number}', {at: {number: off}})
  const text = off === 'all' ? `removed all faults: ${removed}` : `removed fault ${off}`
  return tell({removed}, removed, text, context)
}

async function enable(
  run: FoundRun,
  which: string,
  {isEnabled, ...context}: CommandContext & {isEnabled: boolean}
): Promise<number> {
  const verb = isEnabled ? 'enable' : 'disable'
  const {faults} =
    which === 'all'
      ? await run.api.ask(`POST /faults/${verb}`)
      : await run.api.ask('POST /faults/{number}/{verb}', {at: {number: which, verb}})
  const text = which === 'all' ? `all faults are ${verb}d: ${faults.length}` : `fault ${which} is ${verb}d`
  return tell(faults, faults.length, text, context)
}

/** Reports a change of `count` faults. `value`: the output with `-o json`. */
function tell(value: unknown, count: number, text: string, {asJson, flags}: CommandContext): number {
  if (flags.text('output') === 'json') print(process.stdout, `${JSON.stringify(value)}\n`)
  else if (count === 0) say(process.stdout, 'info', 'There are no faults.', asJson)
  else say(process.stdout, 'success', text, asJson)
  return 0
}

/** Reads caller and callee from two words, or from one quoted word `'checkout->payments'`: without quotes the shell redirects at `>`. */
function edgeOf(words: readonly string[]): readonly [from: string, to: string] {
  const [first = '', second = '', ...others] = words.length === 1 ? (words[0]?.split(/->|→/) ?? []) : words
  const [from, to] = [first.trim(), second.trim()]
  if (words.length === 1 && from.endsWith('-') && to === '')
    throw new UserError(`fault needs a caller and a callee, but got "${from}"`, {
      explanation: `The shell took "${from}>…" as "${from}" with the output redirected to a file. Write two words: pillion fault ${from.slice(0, -1)} ID --status 503`
    })
  if (from === '' || to === '' || others.length > 0)
    throw new UsageError(
      `fault needs the ids of a caller and a callee; "any" means every app${from === '' ? '' : `: fault any ${from}`}; or --actor TYPE`
    )
  return [from, to]
}

function fieldsOf(flags: GivenFlags): Readonly<Record<string, unknown>> {
  const fields = emptyRecord<unknown>()
  for (const name of TIMES) {
    const value = flags.text(name) ?? ''
    if (Number(value) > 0) flagDuration(name, value)
  }
  for (const name of TEXTS) {
    const value = flags.text(name)
    if (value !== undefined) fields[name] = value
  }
  for (const name of SWITCHES) if (flags.isSet(name)) fields[name] = true
  const after = flags.text('cut-after')
  if (after !== undefined) fields['cut'] = after
  return fields
}

function tableText(faults: readonly Api.Fault[]): string {
  if (faults.length === 0)
    return 'There are no faults. Add one, for example: pillion fault shop stock --delay 300ms --status 503 --rate 0.2\n'
  const columns = [
    {head: 'FAULT', cells: faults.map(({number}) => number.toString()), alignsRight: true},
    {head: 'CALLS', cells: faults.map(({texts}) => texts.edge), minWidth: 20},
    {head: 'WHAT HAPPENS', cells: faults.map(({texts}) => texts.effect), minWidth: 12},
    {head: 'HOW OFTEN', cells: faults.map(({texts}) => [texts.rate, texts.limit].filter(Boolean).join(', '))},
    {head: 'SEED', cells: faults.map(({seed, rate}) => (rate < 1 ? seed.toString() : '')), alignsRight: true},
    {head: 'STATE', cells: faults.map(({isEnabled}) => (isEnabled ? '' : 'disabled'))},
    {head: 'HIT', cells: faults.map(({hits, matched}) => `${hits} of ${matched}`)},
    {head: 'ENDS IN', cells: faults.map(({leftMs}) => (leftMs === null ? '' : `${Math.ceil(leftMs / 1000)} s`))}
  ]
  return fittingTable(columns, outputColumns(40))
}
