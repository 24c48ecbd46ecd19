import {readdirSync, utimesSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import type {Plan} from '../../../../src/model/plan.ts'
import {keptLog, removeOldLogs} from '../../../../src/observe/logging/old-logs.ts'

const FILES = {'a_app_20260101000001.log': '', 'a_app_20260101000002.log': '', 'a_daprd_20260101000001.log': ''}

t.test('where it is not known what is still written, nothing is removed', async t => {
  const folder = t.testdir(FILES)
  await removeOldLogs([{folder, name: 'a', keep: 1}], async () => undefined)
  t.equal(readdirSync(folder).length, 3)
  await removeOldLogs([{folder, name: 'a', keep: 1}], async () => new Set<string>())
  t.same(readdirSync(folder).toSorted(), ['a_app_20260101000002.log', 'a_daprd_20260101000001.log'])
})

t.test('where nothing is old, nobody is asked; a folder that is not there is none', async t => {
  const folder = t.testdir(FILES)
  const nobody = async (): Promise<undefined> => t.fail('asked') as never
  await removeOldLogs([{folder, name: 'a', keep: 2}], nobody)
  await removeOldLogs([{folder, name: 'a', keep: 0}], nobody)
  await removeOldLogs([{folder: `${folder}/none`, name: 'a', keep: 1}], nobody)
  t.equal(readdirSync(folder).length, 3)
})

t.test('what was written last is kept, and read, though its name has an earlier time of another zone', async t => {
  const folder = t.testdir({'a_app_20260101000001.log': 'late\n', 'a_app_20260101060000.log.1': 'early\n'})
  utimesSync(join(folder, 'a_app_20260101060000.log.1'), 1000, 1000)
  const plan = {apps: [{id: 'a', logs: {folder}}]} as unknown as Plan
  const log = await keptLog(plan, {id: 'a', tail: -1, since: 0})
  let text = ''
  for await (const each of log?.texts ?? []) text += each
  t.equal(text, 'late\n')
  await removeOldLogs([{folder, name: 'a', keep: 1}], async () => Promise.resolve(new Set<string>()))
  t.same(readdirSync(folder), ['a_app_20260101000001.log'])
})
