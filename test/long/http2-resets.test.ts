/** What `test/integration/dapr/sidecar/http2-resets.test.ts` does with three codes, with the others. */
import {testResets} from '../integration/dapr/sidecar/resets.ts'

/** Of RFC 9113 §7, and the largest. */
testResets([1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 0x7f_ff_ff_ff, 0xff_ff_ff_ff])
