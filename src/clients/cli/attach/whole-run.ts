import type * as Api from '../../../model/api.generated.ts'
import type {WarningCode} from '../../../model/reporter.ts'
import {endRun, type FoundRun} from '../../../control/client.ts'
import {writeLines} from '../commands/logs.ts'
import {KeyInput} from '../live/key-input.ts'
import {followedEvents} from '../followed-events.ts'
import {runName} from '../pick-run.ts'
import {endWithStdout, print} from '../print.ts'
import {reloadText} from '../reload-words.ts'
import {say} from '../say.ts'

/** Number of earlier lines that are shown. */
const TAIL = 20
const TYPES = 'reload,fault,note'

/**
 * `attach` without an id: shows a run as `run -f` does, beginning with the latest lines of all apps. Ctrl-C, or closing the terminal, leaves the
 * run as it is. With `mayStop` (a second `up`), Ctrl-C asks whether to stop the run. Settles with the exit code.
 */
export async function attachToRun(
  run: FoundRun,
  asJson: boolean,
  {mayStop = false}: {readonly mayStop?: boolean} = {}
): Promise<number> {
  const name = runName(run.listing)
  const tell = (text: string): void => say(process.stderr, 'info', text, asJson)
  endWithStdout()
  const left = Promise.withResolvers<boolean>()
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, () => left.resolve(true))
  let isAsking = false
  process.on('SIGINT', () => {
    if (!mayStop || isAsking) return left.resolve(true)
    isAsking = true
    void detachOrStop().then(answer => {
      isAsking = false
      if (answer === 'detach') left.resolve(true)
      // nothing more to do: the output ends when the run does
      return answer === 'stop' ? endRun(run, () => undefined) : undefined
    })
  })
  tell(`attached to ${name}: Ctrl-C ${mayStop ? 'detaches, or stops the run' : 'detaches, and the run continues'}`)
  const wanted = {ids: [], since: 0, version: '', run: '', hasTimes: false, grep: undefined}
  const tellEvents = async (): Promise<void> => {
    for await (const event of followedEvents(run, {types: TYPES})) tellEvent(event, asJson)
  }
  const shown = Promise.all([writeLines(run, {...wanted, tail: TAIL, isFollowed: true, asJson}), tellEvents()])
  const isLeft = await Promise.race([left.promise, shown.then(() => false)])
  tell(
    isLeft ? `detached: ${name} continues, and pillion down --name ${run.listing.name} ends it` : 'the run has ended'
  )
  return 0
}

const ignore = (): void => undefined

/** Asks on the terminal, while lines of apps wait. A second Ctrl-C detaches, too; any other key but `d` and `s` returns `neither`. */
async function detachOrStop(): Promise<'detach' | 'stop' | 'neither'> {
  const answer = Promise.withResolvers<string>()
  const detach = (): void => answer.resolve('d')
  const keys = new KeyInput({typed: ignore, pressed: answer.resolve, moded: ignore, suspended: ignore})
  process.stdout.cork()
  process.once('SIGINT', detach)
  print(process.stderr, '\nd detaches, s stops the run, any other key continues: ')
  if (!(await keys.open())) detach()
  const key = await answer.promise
  keys.close()
  process.off('SIGINT', detach)
  print(process.stderr, '\n')
  process.stdout.uncork()
  return key === 'd' ? 'detach' : key === 's' ? 'stop' : 'neither'
}

function tellEvent(event: Api.Event, asJson: boolean): void {
  const {stdout, stderr} = process
  if (event.type === 'reload') say(stdout, 'info', reloadText({...event.data, id: event.data.app}), asJson)
  else if (event.type === 'fault' && event.data.text !== '') say(stdout, 'info', event.data.text, asJson)
  else if (event.type === 'note') {
    const {code, text} = event.data
    if (code === 'notification') print(stdout, `${text}\n`)
    else say(stderr, 'warning', text, asJson, code as WarningCode)
  }
}
