import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {misfit} from '../rig/api-schema.ts'
import {ask, controlSocket, open, linesOf} from '../rig/control-socket.ts'
import {openRig} from '../rig/rig.ts'

const NDJSON = {headers: {accept: 'application/x-ndjson'}}
const LINES = 20_000

t.test('what readers of events do not get can be read from the log: each line once, in order', async t => {
  const rig = await openRig(t)
  const loud = `require('http').createServer((request, r) => {
    if (request.url !== '/go') return r.writeHead(404).end()
    let n = 0
    for (let piece = 0; piece < 20; piece++) process.stdout.write(Array.from({length: ${LINES / 20}}, () => 'line ' + n++ + '.\\n').join(''))
    console.log('last')
    r.end()
  }).listen(process.env.APP_PORT)`
  await rig.template([
    {appID: 'loud', appDirPath: '.', autoPort: true, command: ['node', '-e', loud]},
    {appID: 'other', appDirPath: '.', command: ['sh', '-c', 'while sleep 0.01; do echo tick; done']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('loud')
  const socket = controlSocket(rig)
  const samples: Api.LineSample[] = []
  const response = await open(socket, '/api/v1/events?types=lines', NDJSON)
  const events = linesOf(response)
  await events.next()
  await fetch(`http://127.0.0.1:${http}/v1.0/invoke/loud/method/go`)
  const stretch = async (
    query: string
  ): Promise<{lines: readonly Api.Line[]; left: Api.LinesLeft | undefined; place: number}> => {
    const answer = await open(socket, `/api/v1/logs?${query}`, NDJSON)
    t.equal(answer.statusCode, 200, query)
    const rows: (Api.Line | Api.LinesLeft)[] = []
    for await (const row of linesOf(answer)) rows.push(JSON.parse(row) as Api.Line | Api.LinesLeft)
    for (const row of rows) t.equal(misfit('left' in row ? 'LinesLeft' : 'Line', row), '')
    const left = rows.find(row => 'left' in row)
    return {lines: rows.filter(row => 'line' in row), left, place: Number(answer.headers['pillion-log-place'])}
  }
  const all: Api.Line[] = []
  let place = 0
  let notShown = 0
  for (;;) {
    const {value = ''} = await events.next()
    if (value === '') continue
    const {type, data} = JSON.parse(value) as {type: string; data: Api.LineSample}
    if (type !== 'lines') continue
    t.equal(misfit('LineSample', data), '')
    samples.push(data)
    if (data.from > place) all.push(...(await stretch(`from=${place}&to=${data.from}`)).lines)
    all.push(...data.lines)
    if (data.notShown > 0) {
      // a thousand at a time
      let query: {from: number; skip: number} | undefined = {from: data.from, skip: data.lines.length}
      let count = 0
      while (query !== undefined) {
        const {lines, left} = await stretch(`from=${query.from}&skip=${query.skip}&to=${data.to}&limit=1000`)
        t.ok(lines.length <= 1000)
        if (left !== undefined) t.equal(left.left, data.notShown - count - lines.length, 'how many are left')
        count += lines.length
        all.push(...lines)
        query = left
      }
      t.equal(count, data.notShown)
      notShown += count
    }
    place = data.to
    if (all.some(({line}) => line === 'last')) break
  }
  t.ok(notShown > LINES / 2, `${notShown} lines were left out`)
  const ofLoud = all.filter(({line}) => line.startsWith('line '))
  t.strictSame(
    ofLoud.map(({line}) => line),
    Array.from({length: LINES}, (_, n) => `line ${n}.`)
  )
  t.ok(all.some(({app, line}) => app === 'other' && line === 'tick'))
  const {lines} = await stretch(`app=other&from=0&to=${place}`)
  t.strictSame(
    lines,
    all.filter(({app}) => app === 'other'),
    'of one app alone'
  )
  const before = await stretch('tail=1')
  t.strictSame((await stretch(`from=${before.place}&to=${before.place}`)).lines, [], 'an answer says where it ends')
  const older = await stretch('app=loud&tail=3')
  await fetch(`http://127.0.0.1:${http}/v1.0/invoke/loud/method/go`)
  t.strictSame(await stretch(`app=loud&tail=3&before=${older.place}`), older, 'whatever has come since')
  for (const [query, detail] of [
    ['before=x', /before=x is not a number/],
    ['from=x', /from=x is not a number/],
    ['from=1&limit=-1', /limit=-1 is not a number/],
    ['from=1&app=nobody', /no app .*nobody/]
  ] as const)
    t.match((await ask(socket, `/api/v1/logs?${query}`)).body, detail, query)
  t.match(await ask(socket, '/api/v1/logs?from=999999&app=loud'), {status: 200, body: ''}, 'nothing is there yet')
  response.destroy()
})
