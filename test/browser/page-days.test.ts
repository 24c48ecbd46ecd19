import t from 'tap'
import {walkPage} from '../days/page/walk.ts'
import {withBrowser} from './browser.ts'

t.test('clicks and keys anywhere on the page of a run that changes', {timeout: 170_000}, async t =>
  withBrowser(t, async browser => {
    for (const seed of [1, 2]) {
      const {faults, steps} = await walkPage(browser, {seed, steps: 25})
      t.strictSame(faults, [], `seed ${seed}`, {steps})
    }
  })
)
