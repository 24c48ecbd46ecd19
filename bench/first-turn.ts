// Prints how many ms it takes from opening this file of a run until a worker has the first turn of a workflow.
import {answer, end, order, TestWorker} from '../test/rig/workflow-house.ts'
import {workflowsAt} from './waiting-timers.ts'

const [, , path = ''] = process.argv
const from = performance.now()
const {workflows, close} = await workflowsAt(path)
const worker = new TestWorker()
workflows.connect('shop', worker)
const id = `first-${process.pid}`
await workflows.start('shop', order(id))
const ms = performance.now() - from
if (worker.items.length !== 1) throw new Error(`the worker has ${worker.items.length} turns`)
await workflows.completeTurn('shop', answer(id, [end()]))
console.log(ms)
close()
