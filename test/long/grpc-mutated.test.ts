/** What `test/integration/dapr/sidecar/grpc/mutated.test.ts` does with hundreds of mutated frames, with thousands. */
import t from 'tap'
import {mutateFrames} from '../integration/dapr/sidecar/grpc/mutated.ts'

t.test('mutated frames, cut anywhere: never a crash, never a hang, and good calls beside them are right', async t =>
  mutateFrames(t, 16, 85)
)
