import {createInterface} from 'node:readline'
import type {WorkflowReplayed} from '../../../../model/api.generated.ts'
import type {CommandContext, CommandHandler} from '../../command-handler.ts'
import {indentedGoJson} from '../../structured.ts'
import {print} from '../../print.ts'
import {say} from '../../say.ts'
import {appIn, onlyWord, runOf} from './target.ts'

/** `workflow replay ID [--step]`: sends the recorded turns of a workflow to a worker again, until the code decides otherwise than in the history. */
export const replayWorkflow: CommandHandler = async context => {
  const {flags, asJson} = context
  const id = onlyWord(context)
  const isJson = flags.text('output') === 'json'
  const run = await runOf(context)
  const {app, workers} = await run.api.ask('GET /workflow', {query: {id, ...appIn(context)}})
  if (workers === 0)
    say(process.stderr, 'pending', `"${app}" has no worker of workflows connected: waits for one`, asJson)
  const isEntered = flags.isSet('step') ? stepper(context) : undefined
  const replays: WorkflowReplayed[] = []
  for (let turn = 0; turn < (replays.at(-1)?.turns ?? 1); turn++) {
    if ((await isEntered?.(turn)) === false) break
    const replayed = await run.api.ask('POST /workflows/replay', {body: {id, ...appIn(context), turn}})
    replays.push(replayed)
    if (!isJson) print(process.stdout, turnLine(replayed))
    if (replayed.difference !== '') break
  }
  if (isJson) print(process.stdout, `${indentedGoJson(replays)}\n`)
  const last = replays.at(-1)
  if (last === undefined) return 0
  const {turn, turns, difference} = last
  if (difference !== '') say(process.stderr, 'failure', `turn ${turn + 1} is not as it was: ${difference}`, asJson)
  else if (!isJson && replays.length === turns)
    say(
      process.stdout,
      'success',
      `The code does what the history says: ${turns === 1 ? '1 turn' : `${turns} turns`}`,
      asJson
    )
  return difference === '' ? 0 : 1
}

/** Formats a turn: `turn 2  activity reserve done → activity 'charge'`. */
function turnLine({turn, came, did, does, difference}: WorkflowReplayed): string {
  const was = did.join(', ') || 'waits'
  const is = difference === '' ? '' : `, now ${does.join(', ') || 'waits'}`
  return `turn ${turn + 1}  ${came.join(', ')} → ${was}${is}\n`
}

/** Returns a function that waits for a line of stdin (Enter) before each turn; false at the end of stdin. Lines that arrive together count one by one. */
function stepper({asJson}: CommandContext): (turn: number) => Promise<boolean> {
  const lines = createInterface({input: process.stdin})[Symbol.asyncIterator]()
  return async turn => {
    say(process.stderr, 'pending', `Enter sends turn ${turn + 1} to the worker`, asJson)
    return (await lines.next()).done !== true
  }
}
