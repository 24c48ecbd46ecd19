import {chmodSync, mkdirSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import type {Death} from '../../../src/observe/telemetry/recorder/deaths.ts'
import {ExitFile, fileOfTemplate, lastExits} from '../../../src/run/last-exits.ts'

const death = (number: number): Death =>
  ({
    number,
    app: 'shop',
    name: 'shop',
    exit: {kind: 'code', code: 1},
    reason: '',
    at: 0,
    livedMs: 10,
    files: [],
    inside: [],
    work: [],
    earlier: 0,
    finished: [],
    lines: async () => Promise.resolve([]),
    place: async () => Promise.resolve('')
  }) as unknown as Death

t.test('templates with long paths have files of their own', async t => {
  const below = `${'/services-of-the-shop'.repeat(12)}/dapr.yaml`
  const [one, other] = ['/home/a', '/home/b'].map(root => fileOfTemplate({}, 'exits', root + below, ''))
  t.not(one, other)
})

t.test('the file begins with its run, also where the first exit could not be written', async t => {
  const state = t.testdir()
  const env = {XDG_STATE_HOME: state}
  const file = new ExitFile({env, template: '/shop/dapr.yaml', name: '', startedAt: 5})
  writeFileSync(join(state, 'pillion'), 'in the way of the folder')
  await file.add(death(1), [])
  rmSync(join(state, 'pillion'))
  mkdirSync(join(state, 'pillion/exits'), {recursive: true})
  chmodSync(join(state, 'pillion'), 0o700)
  await file.add(death(2), [])
  await file.add(death(3), [])
  const {startedAt, deaths} = lastExits(env, '/shop/dapr.yaml', '') ?? {}
  t.equal(startedAt, 5)
  t.same(
    deaths?.map(({number}) => number),
    [2, 3]
  )
})

t.test('an exit of one run is never added to those of another one of its template', async t => {
  const env = {XDG_STATE_HOME: t.testdir()}
  const [one, other] = [5, 6].map(startedAt => new ExitFile({env, template: '/shop/dapr.yaml', name: '', startedAt}))
  await one?.add(death(1), [])
  await other?.add(death(2), [])
  await one?.add(death(3), [])
  await one?.add(death(4), [])
  const {startedAt, deaths = []} = lastExits(env, '/shop/dapr.yaml', '') ?? {}
  t.same([startedAt, ...deaths.map(({number}) => number)], [5, 3, 4])
})
