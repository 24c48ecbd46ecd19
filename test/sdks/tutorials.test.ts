/**
 * Dapr's tutorials of workflow patterns for Python, unmodified, by the commands of their READMEs, in an empty home. They are fetched from GitHub;
 * where it cannot be reached they are skipped.
 */
import {cp, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {installed, publicSource} from './installed.ts'

t.setTimeout(900_000)

const WAIT = {limitMs: 90_000}
const PYTHON = 'tutorials/workflow/python'

/** The tutorials, with what their `pip install -r requirements.txt` brings: the one named here has all that the others want. */
const tutorials = {
  ...publicSource({
    repository: 'dapr/quickstarts',
    commit: '56eb3ae3a4cc1783f2d65a6525deb51065fe0151',
    paths: [PYTHON, 'tutorials/workflow/resources'],
    build: folder => {
      const wanted = join(folder, PYTHON, 'combined-patterns/workflow_app/requirements.txt')
      return [['python3', '-m', 'pip', 'install', '-q', '--target', join(folder, 'packages'), '-r', wanted]]
    }
  }),
  name: 'dapr-tutorials'
}

interface Place {
  readonly rig: Rig
  readonly run: Program
}

/** The body of an answer. `url`: from the port on. */
async function ask(method: string, url: string, body?: unknown): Promise<string> {
  const json = {headers: {'content-type': 'application/json'}, body: JSON.stringify(body)}
  const answer = await fetch(`http://localhost:${url}`, {method, ...(body !== undefined && json)})
  return answer.text()
}

/** `dapr run -f .` in the folder of a tutorial, until its app answers. */
async function openTutorial(
  t: Test,
  name: string,
  {port, program = ''}: {readonly port: number; readonly program?: string | undefined}
): Promise<Place | undefined> {
  const from = await installed(t, tutorials)
  if (from === undefined) return undefined
  const rig = await openRig(t)
  await cp(join(from, 'tutorials'), join(rig.folder, 'tutorials'), {recursive: true})
  const folder = join(PYTHON, name)
  if (program !== '') {
    const template = join(rig.folder, folder, 'dapr.yaml')
    await writeFile(template, (await readFile(template, 'utf8')).replace('before.py', program))
  }
  const env = {PYTHONPATH: join(from, 'packages'), PYTHONUNBUFFERED: '1'}
  const run = rig.pillion(['run', '-f', '.'], {folder, env})
  const ports = name === 'combined-patterns' ? [port, port + 1] : [port]
  for (const each of ports) await run.waitForLine(`Uvicorn running on http://0.0.0.0:${each}`, WAIT)
  return {rig, run}
}

/** A tutorial that is started, looked at and stopped. */
interface Tutorial {
  readonly name: string
  /** Of its app. */
  readonly port: number
  /** Of its sidecar. */
  readonly dapr: number
  /** Behind `/start`. */
  readonly path?: string
  readonly input?: unknown
  /** What the README has in `dapr.yaml`. */
  readonly program?: string
  /** What the app prints, and what comes of the workflow, as the README says. */
  readonly lines: readonly RegExp[]
  readonly output: RegExp
}

const ORDER = {
  id: 'b0d38481-5547-411e-ae7b-255761cce17a',
  order_item: {product_id: 'RBD001', product_name: 'Rubber Duck', quantity: 10, total_price: 15},
  customer_info: {id: 'Customer1', country: 'The Netherlands'}
}

const TUTORIALS: readonly Tutorial[] = [
  {
    name: 'fundamentals',
    port: 5254,
    dapr: 3554,
    path: '/One',
    lines: [/activity1: Received input: One\./, /activity2: Received input: One Two\./],
    output: /^"One Two Three"$/
  },
  {
    name: 'task-chaining',
    port: 5255,
    dapr: 3555,
    lines: [/activity1: Received input: This\./, /activity3: Received input: This is task\./],
    output: /^"This is task chaining"$/
  },
  {
    name: 'fan-out-fan-in',
    port: 5256,
    dapr: 3556,
    input: ['which', 'word', 'is', 'the', 'shortest'],
    lines: [/get_word_length: Received input: shortest\./],
    output: /^"is"$/
  },
  {
    name: 'monitor-pattern',
    port: 5257,
    dapr: 3557,
    path: '/0',
    lines: [/check_status: Received input: 0\./],
    output: /^"Status is healthy after \d+ times\."$/
  },
  {
    name: 'child-workflows',
    port: 5259,
    dapr: 3559,
    input: ['Item 1', 'Item 2'],
    lines: [/activity2: Received input: Item 2 is processed\./],
    output: /^\["Item 1 is processed as a child workflow\.", ?"Item 2 is processed as a child workflow\."\]$/
  },
  {
    name: 'combined-patterns',
    port: 5260,
    dapr: 3560,
    input: ORDER,
    lines: [
      /== APP - shipping == checkDestination: Received input/,
      /== APP - shipping == registerShipment: Received input/,
      /== APP - order-workflow == shipmentRegistered: Received input/
    ],
    output: /"is_success": ?true, ?"message": ?"Order b0d38481-5547-411e-ae7b-255761cce17a processed successfully\."/
  },
  {
    name: 'resiliency-and-compensation',
    port: 5264,
    dapr: 3564,
    path: '/1',
    lines: [/minus_one: Received input: 1\./, /plus_one: Received input: 0\./],
    output: /^1$/
  },
  {name: 'versioning', port: 5263, dapr: 3561, lines: [/send_email: Received input: user_id\./], output: /email/},
  ...['after_named_version.py', 'after_patching.py'].map(program => ({
    name: 'versioning',
    program,
    port: 5263,
    dapr: 3561,
    lines: [/send_sms: Received input: user_id\./],
    output: /SMS/
  }))
]

interface Status {
  readonly runtimeStatus: string
  readonly properties: Readonly<Record<string, string>>
}

/** What Dapr's API says of a workflow, once it is over. */
async function over(dapr: number, id: string): Promise<Status> {
  for (;;) {
    const status = JSON.parse(await ask('GET', `${dapr}/v1.0/workflows/dapr/${id}`)) as Status
    if (status.runtimeStatus !== 'RUNNING') return status
    await pause(50)
  }
}

const idIn = (body: string): string => (JSON.parse(body) as {readonly instance_id: string}).instance_id

async function stopped(t: Test, {run}: Place): Promise<void> {
  run.signal('SIGINT')
  t.match(await run.exited, {code: 0})
}

for (const tutorial of TUTORIALS) {
  const {name, port, dapr, path = '', input, program, lines, output} = tutorial
  t.test(`${name} ${program ?? ''}`.trim(), async t => {
    const place = await openTutorial(t, name, {port, program})
    if (place === undefined) return
    const id = idIn(await ask('POST', `${port}/start${path}`, input))
    const {runtimeStatus, properties} = await over(dapr, id)
    t.equal(runtimeStatus, 'COMPLETED')
    t.match(properties['dapr.workflow.output'], output)
    if (name === 'resiliency-and-compensation') {
      const compensated = 'Compensated minus_one activity with plus_one activity.'
      t.equal(properties['dapr.workflow.custom_status'], compensated)
      t.equal(place.run.stdout.text.split('division: Received').length - 1, 3, 'three tries')
    }
    for (const line of lines) t.ok(await place.run.waitForLine(line))
    await stopped(t, place)
  })
}

t.test('external-system-interaction: an order waits for its approval', async t => {
  const place = await openTutorial(t, 'external-system-interaction', {port: 5258})
  if (place === undefined) return
  const id = 'b7dd836b-e913-4446-9912-d400befebec5'
  await ask('POST', '5258/start', {id, description: 'Rubber ducks', quantity: 100, total_price: 500})
  const url = `3558/v1.0/workflows/dapr/${id}`
  t.match(JSON.parse(await ask('GET', url)), {runtimeStatus: 'RUNNING'})
  await ask('POST', `${url}/raiseEvent/approval-event`, {order_id: id, is_approved: true})
  const {runtimeStatus, properties} = await over(3558, id)
  t.equal(runtimeStatus, 'COMPLETED')
  t.equal(properties['dapr.workflow.output'], `"Order ${id} has been approved."`)
  await stopped(t, place)
})

t.test('workflow-management: suspend, resume, terminate, purge', async t => {
  const place = await openTutorial(t, 'workflow-management', {port: 5262})
  if (place === undefined) return
  const {run} = place
  const id = idIn(await ask('POST', '5262/start/0'))
  await run.waitForLine(/send_notification: Received input: 1\./)
  const url = `3562/v1.0/workflows/dapr/${id}`
  for (const [verb, status] of [
    ['suspend', 'SUSPENDED'],
    ['resume', 'RUNNING'],
    ['terminate', 'TERMINATED']
  ] as const) {
    await ask('POST', `5262/${verb}/${id}`)
    t.match(JSON.parse(await ask('GET', url)), {runtimeStatus: status})
  }
  await ask('DELETE', `5262/purge/${id}`)
  t.match(JSON.parse(await ask('GET', url)), {errorCode: 'ERR_INSTANCE_ID_NOT_FOUND'})
  t.equal(await ask('GET', `5262/status/${id}`), 'null')
  await stopped(t, place)
})
