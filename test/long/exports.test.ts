import {execFile} from 'node:child_process'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {Ajv} from 'ajv'
import t, {type Test} from 'tap'
import {controlSocket, open} from '../rig/control-socket.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** Answers with what it got, so that a call that is sent again can be compared with the first. */
const CALLEE = `
const http = process.getBuiltinModule('node:http')
http.createServer((request, response) => {
  const pieces = []
  request.on('data', piece => pieces.push(piece)).on('end', () => {
    const {method, url, headers} = request
    const got = {method, url, body: Buffer.concat(pieces).toString('latin1')}
    for (const name of ['content-type', 'authorization', 'x-odd', 'x-empty', 'x-high', 'accept', 'user-agent']) got[name] = headers[name]
    response.writeHead(url.startsWith('/fail') ? 503 : 200, {'content-type': 'application/json', location: '/next'})
    response.end(method === 'HEAD' || url.startsWith('/quiet') ? '' : JSON.stringify(got))
  })
}).listen(process.env.APP_PORT)
`

interface Shop {
  readonly rig: Rig
  readonly base: string
}

async function openShop(t: Test): Promise<Shop> {
  const rig = await openRig(t)
  await rig.write({
    'callee.mjs': CALLEE,
    'dapr.yaml': JSON.stringify({
      version: 1,
      apps: [
        {appID: 'shop', appDirPath: '.', command: ['sleep', '600']},
        {appID: 'stock', appDirPath: '.', autoPort: true, command: ['node', 'callee.mjs'], dependsOn: ['mail']},
        {appID: 'mail', appDirPath: '.', command: ['sleep', '600']}
      ]
    })
  })
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  return {rig, base: `http://127.0.0.1:${http}`}
}

const METHOD = '/v1.0/invoke/stock/method'

const printed = async ({rig}: Shop, ...words: readonly string[]): Promise<string> => {
  const {code, stdout, stderr} = await rig.run(['calls', ...words])
  if (code !== 0) throw new Error(stderr)
  return stdout
}

const sh = async (script: string, env: Readonly<Record<string, string>> = {}, shell = 'sh'): Promise<Buffer> => {
  const {stdout} = await promisify(execFile)(shell, ['-c', script], {encoding: 'buffer', env: {...process.env, ...env}})
  return stdout
}

/** What the callee says that it got. */
const gotOf = (answer: Buffer | string): unknown => JSON.parse(answer.toString().split('\r\n\r\n').at(-1) ?? '')

t.test('-o curl prints commands that send the same calls again, whatever bytes they have', async t => {
  const shop = await openShop(t)
  const {base} = shop
  const all = Buffer.from(Array.from({length: 512}, (_, at) => at % 256))
  const bodies: readonly (Buffer | string | undefined)[] = [
    undefined,
    `it's "$(touch /tmp/never)" \`id\` \\n %s %% $HOME !x`,
    all,
    '@/etc/passwd',
    'Zoë €, \u202Eback\u202C \u001B]0;title\u0007 two\nlines\ttab\n',
    'x'.repeat(15_000) + '\r\n'
  ]
  const paths = [`/a'b;id?x=$(id)&y=[1-3]{a,b}&z=%2F%00`, '/plain', '/a/../b//c/./d', "/'$IFS'"]
  const calls: {readonly path: string; readonly init: RequestInit; readonly got: unknown}[] = []
  for (const [at, body] of bodies.entries()) {
    const path = paths[at % paths.length] ?? ''
    const headers: Record<string, string> = {'x-odd': `'";$(id)\\ ${at}`, 'x-empty': '', 'x-high': '\u00E9\u00FF'}
    if (at % 2 === 1) headers['content-type'] = `text/odd; a="it's"`
    const init = {method: body === undefined ? 'GET' : at === 3 ? 'PATCH' : 'POST', headers, body}
    calls.push({
      path,
      init: init as RequestInit,
      got: await (await fetch(base + METHOD + path, init as RequestInit)).json()
    })
  }
  const inOrder = await printed(shop, '-o', 'curl')
  t.equal(inOrder.match(/^# call \d+, /gm)?.length, bodies.length, 'the oldest first, all of them')
  t.notMatch(inOrder, /[^\P{C}\n\t]/u, 'nothing that moves a cursor or reorders text')
  for (const [at, {got}] of calls.entries()) {
    const command = await printed(shop, (at + 1).toString(), '-o', 'curl')
    t.match(command, /^# call \d+, .*: shop → stock\n/)
    for (const shell of ['sh', 'bash'])
      t.same(gotOf(await sh(command, {}, shell)), got, `${shell}: ${command.slice(0, 400)}`)
  }
})

t.test('masked values are variables in -o curl; what is no call of an app has no command', async t => {
  const shop = await openShop(t)
  const {base} = shop
  const secret = 'Bearer abc'
  const headers = {authorization: secret, 'content-type': 'application/json'}
  const body = '{"n":1,"apiKey":"k1","path":"{{$processEnv HOME}}"}'
  await (await fetch(`${base}${METHOD}/pay?token=xyz&n=1`, {method: 'POST', headers, body})).text()
  const command = await printed(shop, '1', '-o', 'curl')
  t.notMatch(command, /abc|xyz|k1/)
  t.match(command, '# masked: set TOKEN, AUTHORIZATION, APIKEY first\n')
  const env = {AUTHORIZATION: secret, TOKEN: 'xyz', APIKEY: 'k1'}
  t.match(gotOf(await sh(command, env)), {url: '/pay?token=xyz&n=1', authorization: secret, body})
})

interface Har {
  readonly log: {
    readonly entries: readonly {
      readonly request: {readonly url: string}
      readonly timings: Readonly<Record<string, number>>
      readonly time: number
    }[]
  }
}

t.test('-o har is an archive by the rules of HAR 1.2', async t => {
  const shop = await openShop(t)
  const {base} = shop
  await (
    await fetch(`${base}${METHOD}/quiet?token=xyz&q=%3C%22&e`, {
      method: 'POST',
      headers: {'content-type': 'application/json'},
      body: '{"password":"swordfish","n":1}'
    })
  ).text()
  await (await fetch(`${base}${METHOD}/bytes`, {method: 'POST', body: Buffer.from([0, 255, 1])})).text()
  await (await fetch(`${base}${METHOD}/fail`)).text()
  await (await fetch(`${base}/v1.0/invoke/nobody/method/x`)).text()
  const text = await printed(shop, '-o', 'har')
  t.notMatch(text, /swordfish|xyz/)
  const har = JSON.parse(text) as Har
  const isHar = new Ajv({allErrors: true}).compile(
    JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/har-1.2.json'), 'utf8')) as object
  )
  isHar(har)
  t.same(isHar.errors, null)
  const {entries} = har.log
  t.match(entries, [
    {
      request: {
        method: 'POST',
        url: `${base}${METHOD}/quiet?token=%3Cmasked,%203%20characters%3E&q=%3C%22&e`,
        queryString: [
          {name: 'token', value: '<masked, 3 characters>'},
          {name: 'q', value: '%3C%22'},
          {name: 'e', value: ''}
        ],
        postData: {mimeType: 'application/json', text: '{"password":"<masked, 9 characters>","n":1}'},
        bodySize: 30
      },
      response: {status: 200, statusText: 'OK', redirectURL: '/next', content: {mimeType: 'application/json'}},
      _pillion: {number: 1, from: 'shop', to: 'stock', isFailed: false}
    },
    {request: {postData: {text: 'AP8B', _encoding: 'base64'}}},
    {response: {status: 503}, _pillion: {isFailed: true}},
    {response: {status: 500}, _pillion: {to: 'nobody', failure: /couldn't find service/, marks: ['ours']}}
  ])
  for (const {time, timings} of entries)
    t.equal(
      time,
      Object.values(timings).reduce((sum, ms) => sum + Math.max(0, ms), 0)
    )
  t.ok((entries[0]?.timings['connect'] ?? 0) > 0, 'the first call opens a connection')

  const some = JSON.parse(await printed(shop, 'status:5xx', '-n', '1', '-o', 'har')) as Har
  t.match(some.log.entries, [{request: {url: /nobody/}}])
  t.equal(some.log.entries.length, 1)
  const none = JSON.parse(await printed(shop, 'to:mail', '-o', 'har')) as Har
  t.same(none.log.entries, [])
})

t.test('an export of all that is kept, and one whose reader leaves', async t => {
  const shop = await openShop(t)
  const {base} = shop
  const body = JSON.stringify({text: 'x'.repeat(12_000), apiKey: 'k'})
  for (let round = 0; round < 40; round++)
    await Promise.all(
      Array.from({length: 10}, async () => {
        const answer = await fetch(`${base}${METHOD}/big`, {
          method: 'POST',
          body,
          headers: {'content-type': 'application/json'}
        })
        await answer.text()
      })
    )
  const shown = JSON.parse(await printed(shop, '-o', 'har')) as Har
  t.equal(shown.log.entries.length, 400)
  const left = shop.rig.start(['sh', '-c', '"$@" calls -o har | head -c 10', 'sh', ...shop.rig.program])
  t.match(await left.exited, {code: 0})
  t.equal(left.stdout.text, '{"log":{"v')
  t.equal(left.stderr.text, '')
  t.equal(((await (await fetch(`${base}${METHOD}/after`)).json()) as {url: string}).url, '/after')
})

t.test('what is wrong with an export is said in a line', async t => {
  const {rig, base} = await openShop(t)
  await (await fetch(`${base}${METHOD}/a`)).text()
  const refused = async (...words: readonly string[]): Promise<string> => {
    const {code, stdout, stderr} = await rig.run(words)
    t.equal(code, 1)
    t.equal(stdout, '')
    return stderr
  }
  t.match(await refused('calls', '-o', 'hars'), /Valid values are: table, json, ndjson, har, curl\./)
  t.match(await refused('calls', '-f', '-o', 'har'), /-f cannot be used with -o har/)
  t.match(await refused('calls', '7', '-o', 'curl'), /there is no call 7: the latest call is number 1/)
  t.match(await refused('calls', 'form:shop', '-o', 'har'), /a filter has no field "form": did you mean from:\?/)
  t.match(await refused('graph', '-o', 'svg'), /Valid values are: table, mermaid, json\./)
})

t.test('an export is a snapshot: later calls are none of it, what they overwrote is said at the end', async t => {
  const shop = await openShop(t)
  const body = 'x'.repeat(15_000)
  const make = async (path: string, count: number): Promise<void> => {
    for (let n = 0; n < count; n++) await (await fetch(`${shop.base}${METHOD}${path}`, {method: 'POST', body})).text()
  }
  await make('/before', 250)
  const whole = JSON.parse(await printed(shop, '-o', 'har')) as {log: {comment?: string; entries: unknown[]}}
  t.match([whole.log.entries.length, whole.log.comment], [250, undefined])
  const socket = controlSocket(shop.rig)
  const answers = await Promise.all(
    (['har', 'curl'] as const).map(async format => ({format, response: await open(socket, `/api/v1/calls.${format}`)}))
  )
  await make('/after', 300) // nobody reads meanwhile
  for (const {format, response} of answers) {
    let text = ''
    for await (const piece of response.setEncoding('utf8')) text += piece as string
    const said = /\d+ calls were overwritten before this was written: they are missing, or lack their bytes/
    t.match(response.trailers['pillion-overwritten'], said, format)
    t.match(text.slice(-200), said, format)
    t.notMatch(text, '/after', format)
    if (format === 'har') t.equal((JSON.parse(text) as Har).log.entries.length, 250)
  }
})

t.test('a command whose output nobody reads says on stderr what was overwritten meanwhile', async t => {
  const shop = await openShop(t)
  const {rig, base} = shop
  const make = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++)
      await (await fetch(`${base}${METHOD}/x`, {method: 'POST', body: 'x'.repeat(15_000)})).text()
  }
  await make(250)
  await sh(`mkfifo '${rig.folder}/go' '${rig.folder}/begun'`)
  const program = rig.program.map(word => `'${word}'`).join(' ')
  const script = `${program} calls -o har | { head -c 1000 >begun; cat go; cat; } >calls.rest`
  const reader = rig.start(['sh', '-c', script])
  await sh(`cat '${rig.folder}/begun'`) // the first bytes have come
  await make(300)
  await sh(`echo go on >'${rig.folder}/go'`)
  await reader.exited
  t.match(
    reader.stderr.text,
    /^⚠.* \d+ calls were overwritten before this was written: they are missing, or lack their bytes\n$/
  )
})
