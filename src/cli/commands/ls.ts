import type {CommandHandler} from '../command-handler.ts'
import {runsHere} from '../pick-run.ts'
import {pickServices} from '../pick-services.ts'
import {print} from '../print.ts'
import {serviceTable} from '../service-table.ts'

/** `ls [NAME [VERSION]]`: lists the Daeploy services of one run. An unknown name gives an empty table, as with Daeploy. */
export const ls: CommandHandler = async ({flags, asJson, words: [name, version]}) => {
  const run = pickServices(await runsHere(asJson), {runFile: flags.text('run-file'), id: name})
  const services = (await run?.services()) ?? []
  const shown = services.filter(
    service => (name === undefined || service.name === name) && (version === undefined || service.version === version)
  )
  print(process.stdout, `${serviceTable(shown)}\n`)
  return 0
}
