import type {CommandHandler} from '../command-handler.ts'
import {print} from '../print.ts'
import {runFinder} from '../run-here.ts'
import {serviceTable} from '../service-table.ts'

/** `ls [NAME [VERSION]]`: lists the Daeploy services of one run. An unknown name gives an empty table, as with Daeploy. */
export const ls: CommandHandler = async ({flags, asJson, words: [name, version]}) => {
  const run = (await runFinder(flags, asJson)).lookAloud(name)
  const services = (await run?.api.ask('GET /services'))?.services ?? []
  const shown = services.filter(
    service => (name === undefined || service.name === name) && (version === undefined || service.version === version)
  )
  print(process.stdout, `${serviceTable(shown)}\n`)
  return 0
}
