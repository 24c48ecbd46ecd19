import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {connect, type Socket} from 'node:net'
import {gzipSync} from 'node:zlib'
import {join} from 'node:path'
import t from 'tap'
import type {Deployment} from '../deployment.ts'
import type {ServiceInstance} from '../instance.ts'
import type {ServiceLogsWanted} from '../management.ts'
import {ask, type AskOptions} from '../../../../test/rig/manager.ts'
import {answerAfterAll} from '../../../../test/rig/early-answer.ts'
import {openManager} from './rig.ts'

const at = new Date('2026-11-20T04:57:31.500Z')
const instance = (version: string, more: Partial<ServiceInstance> = {}): ServiceInstance => ({
  name: 'hello',
  version,
  isMain: version === '1.0.0',
  status: 'running',
  startedAt: at,
  finishedAt: undefined,
  ...more
})
const instances = [instance('1.0.0'), instance('2.0.0', {status: 'exited', finishedAt: at})]
const one = {name: 'hello', version: '1.0.0'}

const asker = (port: number) => async (path: string, options?: AskOptions) => {
  const {status, body, headers} = await ask(`http://127.0.0.1:${port}${path}`, options)
  return {status, body, headers}
}

t.test('services are listed in their order, with a slash at the end or without', async t => {
  const {port} = await openManager(t, {instances})
  const get = asker(port)
  for (const path of ['/services', '/services/'])
    t.match(await get(path), {
      status: 200,
      headers: {'content-type': 'application/json'},
      body: '[{"name":"hello","version":"1.0.0","image":"hello:1.0.0","main":true},{"name":"hello","version":"2.0.0","image":"hello:2.0.0","main":false}]'
    })
  t.match(await get('/services/', {method: 'PATCH'}), {
    status: 405,
    body: '{"detail":"Method Not Allowed"}',
    headers: {allow: 'GET, DELETE'}
  })
  t.match(await get('/services/~nothing'), {status: 404, body: '{"detail":"Not Found"}'})
})

t.test('an instance is inspected; times have the fraction that clients split at', async t => {
  const {port} = await openManager(t, {instances})
  const get = asker(port)
  const inspected = await get('/services/~inspection?name=hello&version=2.0.0')
  t.match(JSON.parse(inspected.body), {
    State: {
      Status: 'exited',
      Running: false,
      StartedAt: '2026-11-20T04:57:31.500Z',
      FinishedAt: '2026-11-20T04:57:31.500Z'
    }
  })
  t.match(JSON.parse((await get('/services/~inspection/?name=hello&version=1.0.0')).body), {
    State: {Status: 'running', Running: true, FinishedAt: /^0001-01-01T00:00:00\.\d+Z$/}
  })
  t.match(await get('/services/~inspection?name=nope&version=1.0.0'), {
    status: 404,
    body: '{"detail":["Service with name: nope and version: 1.0.0 does not exists!"]}'
  })
  const lacking = await get('/services/~inspection?name=hello')
  t.equal(lacking.status, 422)
  t.match(JSON.parse(lacking.body), {detail: [{type: 'missing', loc: ['query', 'version'], msg: 'Field required'}]})
})

t.test('logs are streamed as plain text, with what was wanted of them', async t => {
  const wanted: ServiceLogsWanted[] = []
  const {port} = await openManager(t, {
    instances,
    managed: {
      logs: async function* (_name, _version, asked) {
        wanted.push(asked)
        yield 'one\n'
        yield 'zwölf\n'
      }
    }
  })
  const get = asker(port)
  const whole = await get(
    '/services/~logs/?name=hello&version=1.0.0&tail=50&follow=False&since=2026-11-20+09%3A00%3A00'
  )
  t.match(whole, {
    status: 200,
    body: 'one\nzwölf\n',
    headers: {'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff'}
  })
  await get('/services/~logs?name=hello&version=1.0.0&tail=0&follow=True&since=2026-11-20T10:00:00%2B01:00')
  await get('/services/~logs?name=hello&version=1.0.0&tail=all')
  const nine = Date.parse('2026-11-20T09:00:00Z')
  t.same(wanted, [
    {tail: 50, isFollowed: false, since: nine},
    {tail: 0, isFollowed: true, since: nine},
    {tail: 0, isFollowed: false, since: 0}
  ])
  t.match(await get('/services/~logs?name=hello&version=9.0.0'), {status: 404})
})

t.test('the time of a log is read as Python writes it, in UTC; one that is none is refused', async t => {
  const wanted: number[] = []
  const {port} = await openManager(t, {
    instances,
    managed: {
      logs: async function* (_name, _version, {since}) {
        wanted.push(since)
        yield ''
      }
    }
  })
  const since = async (text: string) =>
    asker(port)(`/services/~logs?name=hello&version=1.0.0&since=${encodeURIComponent(text)}`)
  const nine = Date.parse('2026-11-20T09:00:00Z')
  for (const text of [
    '2026-11-20 09:00:00',
    '2026-11-20T09:00:00.000000',
    '2026-11-20T09:00',
    '2026-11-20T08:00:00-01:00',
    (nine / 1000).toString()
  ])
    t.match(await since(text), {status: 200}, text)
  t.same(
    wanted,
    wanted.map(() => nine)
  )
  await since('2028-02-29')
  t.equal(wanted.at(-1), Date.parse('2028-02-29T00:00:00Z'))
  for (const text of ['yesterday', '2026-13-01', '10:00', '2026-02-30', '2026-11-31T09:00', '2026-11-20T24:00']) {
    const {status, body} = await since(text)
    t.equal(status, 422, text)
    t.same(JSON.parse(body), {
      detail: [
        {type: 'datetime_parsing', loc: ['query', 'since'], msg: 'Input should be a valid datetime', input: text}
      ]
    })
  }
})

t.test('versions are assigned and removed by the rules of main and shadows', async t => {
  const done: string[] = []
  const {port} = await openManager(t, {
    instances,
    managed: {
      assign: (name, version) => void done.push(`assign ${name} ${version}`),
      remove: async (name, version) => void done.push(`remove ${name} ${version}`)
    }
  })
  const send = asker(port)
  const assign = async (body: unknown) => send('/services/~assign', {method: 'PUT', body})
  t.match(await assign({name: 'hello', version: '2.0.0'}), {status: 200, body: '"OK"'})
  t.match(await assign({name: 'nope', version: '1.0.0'}), {
    status: 404,
    body: '{"detail":"No main service matching nope"}'
  })
  t.match(await assign({name: 'hello', version: '9.9.9'}), {
    status: 404,
    body: '{"detail":"No service matching hello 9.9.9"}'
  })
  t.match(await assign({name: 'hello'}), {status: 422})
  t.match(await assign([]), {status: 422})
  t.match(await send('/services/~assign', {method: 'PUT'}), {status: 422})
  t.match(await send('/services/', {method: 'DELETE', body: one}), {
    status: 403,
    body: '{"detail":"Not allowed to kill main service while there are mutliple deployed versions of that service"}'
  })
  t.match(await send('/services/?remove_image=True', {method: 'DELETE', body: {...one, version: '2.0.0'}}), {
    status: 200,
    body: '"OK"'
  })
  t.match(await send('/services/', {method: 'DELETE', body: {...one, name: 'nope'}}), {
    status: 404,
    body: '{"detail":["Service with name: nope and version: 1.0.0 does not exists!"]}'
  })
  t.same(done, ['assign hello 2.0.0', 'remove hello 2.0.0'])
})

/** A form as the command line sends it. */
const form = (fields: Readonly<Record<string, string>>, archive?: Buffer): {type: string; body: Buffer} => {
  const texts = Object.entries(fields).map(
    ([name, value]) => `--xx\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  )
  const file = `--xx\r\nContent-Disposition: form-data; name="file"; filename="filename"\r\nContent-Type: application/x-gzip\r\n\r\n`
  const pieces: Buffer[] = [Buffer.from(texts.join(''))]
  if (archive !== undefined) pieces.push(Buffer.from(file), archive, Buffer.from('\r\n'))
  return {type: 'multipart/form-data; boundary=xx', body: Buffer.concat([...pieces, Buffer.from('--xx--\r\n')])}
}

t.test('a deployment is read and checked, and started once', async t => {
  const deployed: Deployment[] = []
  const received: Buffer[] = []
  const started = Promise.withResolvers<string>()
  const {port} = await openManager(t, {
    instances,
    managed: {
      deploy: async deployment => {
        deployed.push(deployment)
        received.push(readFileSync(deployment.archive))
        return started.promise
      }
    }
  })
  const empty = gzipSync(Buffer.alloc(1024))
  const deploy = async (fields: Readonly<Record<string, string>>, archive: Buffer | undefined = empty) => {
    const {type, body} = form(fields, archive)
    const response = await fetch(`http://127.0.0.1:${port}/services/~tar`, {
      method: 'POST',
      body: new Uint8Array(body),
      headers: {'content-type': type}
    })
    return {status: response.status, body: await response.text()}
  }
  const fields = {name: 'good', version: '1.0.0', port: '8050', run_args: '{"environment": {"A": "B", "NONE": null}}'}
  const first = deploy(fields)
  while (deployed.length === 0) await new Promise(setImmediate)
  t.match(await deploy(fields), {status: 409}, 'the same is on its way')
  started.resolve('')
  t.match(await first, {status: 202, body: '"Accepted"'})
  t.match(deployed, [{name: 'good', version: '1.0.0', port: 8050}])
  t.same(deployed[0]?.env, {A: 'B'}, 'for Docker null is no value')
  t.same(received, [empty])
  t.notOk(
    deployed.some(({archive}) => existsSync(archive)),
    'it is gone when all is done'
  )
  t.match(await deploy({...fields, name: 'hello'}), {
    status: 409,
    body: '{"detail":"Service with name: hello and version: 1.0.0 already exists!"}'
  })
  t.match(await deploy({...fields, name: 'Bad_'}), {status: 406, body: /Name can only contain lower case letters/})
  t.match(await deploy({...fields, version: '1.0'}), {status: 406, body: /Version must be a semantic version string\./})
  t.match(await deploy({...fields, version: '1.0.0-01'}), {status: 406}, 'as in a template')
  t.match(await deploy({...fields, version: 'v1.0.0'}), {status: 406})
  t.match(await deploy({...fields, port: 'x'}), {status: 406})
  t.match(await deploy({...fields, run_args: '{'}), {status: 406})
  t.match(await deploy({...fields, name: 'n'.repeat(300)}), {status: 406, body: /Name and version are too long/})
  t.match(await deploy({name: 'good'}), {status: 422, body: /"loc":\["body","version"\]/})
  t.equal(deployed.length, 1)
  for (const [index, runArgs] of ['null', '{"environment": ["A=b=c", "NONE", 7]}'].entries())
    t.match(await deploy({...fields, name: `odd${index}`, run_args: runArgs}), {status: 202})
  t.match(deployed.slice(1), [{env: {}}, {env: {A: 'b=c'}}])
})

const field = (name: string, value: string) => `Content-Disposition: form-data; name="${name}"\n\n${value}\n`

t.test('a form is read as it comes, whatever its boundary; what is none is refused', async t => {
  const deployed: Deployment[] = []
  const folder = t.testdir({})
  let uploads = 0
  const {port} = await openManager(t, {
    managed: {
      newUpload: () => join(folder, (uploads++).toString()),
      deploy: async deployment => {
        deployed.push(deployment)
        t.equal(readFileSync(deployment.archive, 'latin1'), '\u001f\u008b--b\r\n')
        return ''
      }
    }
  })
  const send = async (type: string, text: string) => {
    const body = new Uint8Array(Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1'))
    const headers: Record<string, string> = type === '' ? {} : {'content-type': type}
    const response = await fetch(`http://127.0.0.1:${port}/services/~tar`, {method: 'POST', body, headers})
    return {status: response.status, body: await response.text()}
  }
  const file = `Content-Disposition: form-data; name="file"; filename="f"\nContent-Type: application/x-gzip\n\n\u001f\u008b--b\n\n`
  const parts = [file, field('version', '1.0.0'), field('name', 'a'), file, field('__proto__', '')]
  const whole = `preamble\n--a b\n${parts.join('--a b\n')}--a b--\n`
  t.match(await send('multipart/form-data; charset=utf-8; boundary="a b"', whole), {status: 202})
  t.match(deployed, [{name: 'a', version: '1.0.0', port: 8000, env: {}}])
  const told = /The form cannot be parsed/
  t.match(await send('application/json', '{}'), {status: 422, body: told})
  t.match(await send('', '{}'), {status: 422, body: told})
  t.match(await send('multipart/form-data', whole), {status: 422, body: told})
  t.match(await send('multipart/form-data; boundary=b', 'nothing'), {status: 422, body: told})
  t.match(await send('multipart/form-data; boundary="a b"', whole.slice(0, 200)), {status: 422, body: told})
  t.match(await send('multipart/form-data; boundary="a b"', whole.slice(0, 90)), {status: 422, body: told})
  t.equal(deployed.length, 1)
  t.same(readdirSync(folder), [], 'nothing is left of what was sent')
})

t.test('an upload that breaks off leaves nothing', async t => {
  const folder = t.testdir({})
  const tried = async (leave: (socket: Socket, head: string, body: Buffer) => Promise<void>): Promise<void> => {
    const asked = Promise.withResolvers<void>()
    const {port} = await openManager(t, {
      managed: {
        newUpload: () => {
          asked.resolve()
          return join(folder, 'upload')
        }
      }
    })
    const socket = connect(port, '127.0.0.1')
    const {body} = form({name: 'a', version: '1.0.0'}, Buffer.alloc(100_000))
    await leave(
      socket,
      `POST /services/~tar HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=xx\r\nContent-Length: ${body.length + 10}\r\n\r\n`,
      body
    )
    await asked.promise
    while (readdirSync(folder).length > 0) await new Promise(setImmediate)
    t.same(readdirSync(folder), [])
    socket.destroy()
  }
  await tried(async (socket, head, body) => {
    socket.write(head)
    socket.write(body.subarray(0, 50_000))
    while (readdirSync(folder).length === 0) await new Promise(setImmediate)
    socket.resetAndDestroy()
  })
  // the form is whole, its file still to be written: the body should have been longer
  await tried(async (socket, head, body) => {
    socket.end(Buffer.concat([Buffer.from(head), body]))
    while (readdirSync(folder).length === 0) await new Promise(setImmediate)
  })
})

t.test('who may not manage here does not learn that one could', async t => {
  const {port} = await openManager(t, {instances, mayManage: false})
  const send = asker(port)
  for (const [method, path] of [
    ['DELETE', '/services/'],
    ['PUT', '/services/~assign'],
    ['POST', '/services/~tar'],
    ['POST', '/services/~git'],
    ['POST', '/auth/token']
  ] as const)
    t.match(await send(path, {method, body: one}), {status: 404, body: '{"detail":"Not Found"}'}, path)
  t.match(await send('/services/'), {status: 200})
  t.match(await send('/~version'), {status: 200, body: '"1.2.3"'})
  t.match(await send('/auth/verify'), {status: 200, body: '"OK"'})
})

t.test('notifications are added, listed and cleared', async t => {
  const {port, lines} = await openManager(t)
  const send = asker(port)
  const body = {
    service_name: 'desk',
    service_version: '1.0.0',
    msg: 'heavy',
    severity: 0,
    dashboard: true,
    timer: 0,
    timestamp: '2026-11-20 05:05:54.719785'
  }
  t.match(await send('/notifications/', {method: 'POST', body}), {status: 200, body: '"Notification added"'})
  t.match(await send('/notifications', {method: 'POST', body}), {status: 200})
  t.same(lines, ['🔔 desk 1.0.0 INFO heavy', '🔔 desk 1.0.0 INFO heavy'])
  t.same(Object.values(JSON.parse((await send('/notifications')).body) as object), [
    {...body, emails: null, counter: 2}
  ])
  t.match(await send('/notifications/', {method: 'POST', body: {}}), {status: 422})
  t.match(await send('/notifications/', {method: 'DELETE'}), {status: 200, body: 'null'})
  t.equal((await send('/notifications/')).body, '{}')
})

/** A part of a form, as it breaks off. */
const halfFile = (name: string): string =>
  `--x\r\nContent-Disposition: form-data; name="${name}"; filename="f"\r\n\r\nhalf`

t.test('files that nobody asked for, and that break off, are no harm', async t => {
  const {port} = await openManager(t)
  const headers = {'content-type': 'multipart/form-data; boundary=x'}
  for (const body of [
    halfFile('other'),
    `${halfFile('file')}\r\n${halfFile('file')}`,
    `${halfFile('file')}\r\n${halfFile('other')}`
  ]) {
    const answer = await fetch(`http://127.0.0.1:${port}/services/~tar`, {method: 'POST', body, headers})
    t.match([answer.status, await answer.text()], [422, /The form cannot be parsed/])
  }
})

t.test('who sends all of a request before reading gets the whole answer, also of a refusal at its start', async t => {
  const {port: to} = await openManager(t)
  for (const [head, status] of [
    ['POST /services/~tar HTTP/1.1\r\nContent-Type: text/plain', 422],
    ['POST /services/~tar HTTP/1.1\r\nContent-Type: text/plain\r\nConnection: close', 422],
    ['POST /services/~tar HTTP/1.1\r\nContent-Type: multipart/form-data', 422],
    ['POST /services/~tar HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x', 422],
    ['POST /notifications HTTP/1.1', 413],
    ['POST /nothing HTTP/1.1\r\nConnection: close', 404]
  ] as const)
    for (const framing of ['length', 'chunks'] as const)
      t.match(
        await answerAfterAll({to, head: `${head}\r\nHost: localhost`, framing}),
        new RegExp(`^HTTP/1.1 ${status} .*\r\n\r\n.`, 's'),
        `${head}, ${framing}`
      )
})
