import {mkdirSync} from 'node:fs'
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {possibleEvents} from '../../../../src/observe/api/workflows/serve-workflows.ts'
import {openHouse, order, TestWorker} from '../../../rig/workflow-house.ts'

t.test('events that a workflow may wait for: those in the code of its app, in the words of each SDK', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order('o-1'))
  const instance = workflows.find('shop', 'o-1')
  if (instance === undefined) throw new Error('it was started')
  const folder = await mkdtemp(join(tmpdir(), 'possible-events-'))
  t.teardown(async () => rm(folder, {recursive: true}))
  await mkdir(join(folder, 'node_modules'))
  await mkdir(join(folder, 'src'))
  for (const [file, text] of [
    ['flow.mjs', "await ctx.waitForExternalEvent('approve')"],
    ['src/flow.py', 'yield ctx.wait_for_external_event("cancel")'],
    ['src/Flow.cs', 'await context.WaitForExternalEventAsync<bool>("pay")'],
    ['src/flow.go', 'ctx.WaitForExternalEvent("ship", time.Hour)'],
    ['src/notes.txt', "waitForExternalEvent('text')"],
    ['node_modules/sdk.js', "waitForExternalEvent('library')"]
  ] as const)
    await writeFile(join(folder, file), text)
  t.same((await possibleEvents(workflows, instance, folder)).toSorted(), ['approve', 'cancel', 'pay', 'ship'])
  t.same(await possibleEvents(workflows, instance, join(folder, 'gone')), [])
  t.same(await possibleEvents(workflows, instance, undefined), [])
})

t.test('of a folder with very many others those near the top are searched', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order('o-1'))
  const instance = workflows.find('shop', 'o-1')
  if (instance === undefined) throw new Error('it was started')
  const folder = await mkdtemp(join(tmpdir(), 'possible-events-'))
  t.teardown(async () => rm(folder, {recursive: true}))
  for (let count = 0; count < 1000; count++) mkdirSync(join(folder, `d${count}`))
  await mkdir(join(folder, 'd7/below'))
  await writeFile(join(folder, 'd7/below/flow.mjs'), "await ctx.waitForExternalEvent('far')")
  await writeFile(join(folder, 'flow.mjs'), "await ctx.waitForExternalEvent('near')")
  t.same(await possibleEvents(workflows, instance, folder), ['near'])
})
