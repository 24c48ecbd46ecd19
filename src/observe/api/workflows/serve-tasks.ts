import type * as Api from '../../../model/api.generated.ts'
import {exactText} from '../../../model/exact-json.ts'
import type {RemoteClient} from '../../../work/workflow/remote-clients.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import {noSuchApp, type AppName} from '../apps.ts'
import {ApiProblem, givenObject} from '../problem.ts'
import type {ApiRequest} from '../route.ts'
import type {RunFacts} from '../run-facts.ts'
import {asProblem, askedText} from './requests.ts'

/**
 * Lends the workers of an app to the workflows of another run: the answer says what comes of the tasks that it posts, until the app's sidecar
 * closes or the other run leaves. Throws an ApiProblem if the app is not there.
 */
export async function lendWorkers(
  {control, work}: Pick<RunFacts, 'control' | 'work'>,
  name: AppName,
  {response, gone}: Pick<ApiRequest, 'response' | 'gone'>
): Promise<undefined> {
  const leased = control.leaseSidecar(name.id)
  if (leased === undefined) throw noSuchApp(control.list().apps, name)
  const {remoteClients} = await work.workflows()
  if (gone.aborted) return // who has left meanwhile would never be seen to leave
  const write = (line: Api.TasksDone): void => void response.write(`${JSON.stringify(line)}\n`)
  const end = (): void => void response.end()
  const client = remoteClients.register(name.id, {onAnswer: answer => write({answer: base64(answer)}), end})
  response.writeHead(200, {'content-type': 'application/x-ndjson'})
  write({guest: client.name})
  response.once('close', () => {
    client.leave()
    leased.closing.removeEventListener('abort', end)
  })
  if (leased.closing.aborted) end()
  else leased.closing.addEventListener('abort', end)
  return undefined
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** Tasks of another run that has got its name there. Throws a UserError. */
export function takeTasks({remoteClients}: Workflows, body: string): Api.TasksTaken {
  const {guest: name, items} = givenObject(body, '{"guest": "0f5c…", "items": []}')
  const client = remoteClients.find(String(name))
  if (client === undefined || !Array.isArray(items))
    throw new ApiProblem(409, 'the workers of the app are not lent to this run', 'GET /apps/{id}/tasks lends them.')
  for (const item of items) void ask(client, String(item))
  return {taken: items.length}
}

/** Gives a task to the remote client. One that cannot be read or kept ends the client: the other run takes all its tasks back, and asks again. */
async function ask(client: RemoteClient, item: string): Promise<void> {
  try {
    await client.ask(Buffer.from(item, 'base64'))
  } catch {
    client.end()
  }
}

/** Removes the child of a workflow of another run. Throws a UserError. */
export async function purgeChild(
  {control, work}: Pick<RunFacts, 'control' | 'work'>,
  name: AppName,
  {body}: Pick<ApiRequest, 'body'>
): Promise<Api.ChildrenPurged> {
  const {apps} = control.list()
  if (!apps.some(({id}) => id === name.id)) throw noSuchApp(apps, name)
  const given = givenObject(body, '{"id": "c-1", "parent": {"app": "shop", "id": "o-1", "execution": "0f5c…"}}')
  const {parent = {}} = given
  const of = givenObject(exactText(parent), '{"app": "shop", "id": "o-1", "execution": "0f5c…"}')
  const known = {app: askedText(of, 'app'), id: askedText(of, 'id'), execution: askedText(of, 'execution')}
  const child = {app: name.id, id: askedText(given, 'id'), parent: known}
  const open = await work.workflows()
  return {count: await asProblem(async () => open.purgeChild(child, given['force'] === true))}
}
