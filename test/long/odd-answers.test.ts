/** What `test/integration/dapr/sidecar/odd-answers.test.ts` does at some bytes, at the others. */
import t from 'tap'
import {isCut} from '../integration/dapr/sidecar/odd-answers.ts'

t.test(
  'an app that hangs up at any byte of such an answer: its callers hear of it, and never take it for whole',
  async t => isCut(t, at => at % 12 !== 0)
)
