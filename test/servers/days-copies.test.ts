import {spawnSync} from 'node:child_process'
import t from 'tap'
import {copySteps, walkCopies} from '../days/copies/walks.ts'
import {missing} from '../rig/missing.ts'

const hasRedis = spawnSync('redis-server', ['--version']).status === 0

t.test(
  'worktrees and clones are started, edited, ordered at, killed, moved and removed in any order',
  {skip: hasRedis ? false : missing('redis-server'), timeout: 170_000},
  async t => {
    for (const seed of [1, 2]) {
      const {faults, done} = await walkCopies(seed, copySteps(seed, 12))
      t.strictSame(faults, [], `seed ${seed}`, {done})
    }
  }
)
