import t from 'tap'
import {mutateFrames} from './mutated.ts'

t.test('mutated frames, cut anywhere: never a crash, never a hang, and good calls beside them are right', async t =>
  mutateFrames(t, 15, 15)
)
