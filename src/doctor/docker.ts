import {programsIn} from '../config/programs.ts'
import type {Plan} from '../model/plan.ts'
import {findProgram} from '../platform/program-version.ts'
import {runCommand} from '../platform/run-command.ts'
import {fail, ok, type Check} from './check.ts'

const CLIENTS = new Set(['docker', 'docker-compose', 'nerdctl'])
const TIMEOUT_MS = 5000

/** Whether the daemon answers that the docker commands of a template talk to; nothing where there are none. */
export async function checkDocker(
  {apps}: Plan,
  env: Readonly<Record<string, string | undefined>>
): Promise<readonly Check[]> {
  const users = apps.flatMap(app => {
    const client = programsIn(app.command, app.folder).find(({name}) => CLIENTS.has(name))
    return client === undefined ? [] : [{...app, client: client.name === 'nerdctl' ? 'nerdctl' : 'docker'}]
  })
  const [first] = users
  if (first === undefined) return []
  const {client, folder, env: own} = first
  const whole = Object.fromEntries(
    Object.entries({...env, ...own}).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  )
  if (findProgram(client, whole['PATH'] ?? '') === undefined) return [] // the look at the commands tells it
  const command = [client, 'version', '--format', '{{.Server.Version}}']
  const why = await runCommand({
    command,
    folder,
    env: whole,
    timeoutMs: TIMEOUT_MS,
    signal: new AbortController().signal
  })
  if (why === '') return [ok('the Docker daemon answers')]
  const ids = [...new Set(users.map(({id}) => JSON.stringify(id)))].join(', ')
  return [
    fail(
      `the Docker daemon does not answer (${client} version ${why}), which ${ids} would need`,
      `Start Docker, then look: ${client} version`
    )
  ]
}
