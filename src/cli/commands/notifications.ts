import type {Notification} from '../../model/api.generated.ts'
import type {CommandHandler} from '../command-handler.ts'
import {print} from '../print.ts'
import {runFinder} from '../run-here.ts'
import {tableOf} from '../table.ts'

/** `notifications [-o json]`: lists the notifications of the services of one run, oldest first. */
export const notifications: CommandHandler = async ({flags, asJson}) => {
  const run = (await runFinder(flags, asJson)).lookAloud()
  const kept = (await run?.api.ask('GET /notifications')) ?? {}
  const all = Object.values(kept)
  if (flags.text('output') === 'json') print(process.stdout, `${JSON.stringify(kept, null, 2)}\n`)
  else print(process.stdout, all.length === 0 ? 'No notifications.\n' : table(all))
  return 0
}

const SEVERITIES: Readonly<Record<number, string>> = {0: 'INFO', 1: 'WARNING', 2: 'CRITICAL'}

const table = (all: readonly Notification[]): string =>
  tableOf([
    ['LAST', all.map(({timestamp}) => timestamp.slice(0, 19).replace('T', ' '))],
    ['TIMES', all.map(({counter}) => counter.toString())],
    ['SERVICE', all.map(({service_name}) => service_name)],
    ['VERSION', all.map(({service_version}) => service_version)],
    ['SEVERITY', all.map(({severity}) => SEVERITIES[severity] ?? severity.toString())],
    ['MESSAGE', all.map(({msg}) => msg.replaceAll(/[\r\n]+/g, ' '))]
  ])
