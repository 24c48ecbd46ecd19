/** What tests of `test/unit/work/workflow` do with a few inputs, with tens of megabytes of them. */
import t from 'tap'
import {endStalled, keepIds, keepInputs, takeActivities} from '../unit/work/workflow/large-inputs.ts'

t.test('40 activities with large inputs are read as workers take them, each once', async t => takeActivities(t, 40, 20))

t.test('inputs of workflows that no worker takes are in the file once, and not in memory', async t =>
  keepInputs(t, 100, ['shop: 68 workflows wait'], 40)
)

t.test('who is terminated while it stalled stays so, though 60 children have much', async t => endStalled(t, 60))

t.test('ids of 10,000 bytes and of every character; inputs of megabytes', async t => keepIds(t, 2_000_000))
