import {statSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {drawDashboard} from '../../docs/dashboard-picture.ts'
import {withBrowser} from './browser.ts'

t.test('the first picture of the README is one of a real run, in which header, rows and card agree', async t =>
  withBrowser(t, async browser => {
    const folder = t.testdir()
    await drawDashboard(folder, browser)
    for (const theme of ['light', 'dark']) t.ok(statSync(join(folder, `dashboard-${theme}.png`)).size > 10_000, theme)
  })
)
