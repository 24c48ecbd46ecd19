import t from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'
import {open, violations, withBrowser} from './browser.ts'

const addressIn = async (rig: Rig, folder: string, ...flags: readonly string[]): Promise<string> =>
  /http:\S+/.exec((await rig.run(['dashboard', '--no-open', ...flags], {folder})).stdout)?.[0] ?? ''

await withBrowser(t, async browser => {
  const rig = await openRig(t)
  const app = {appID: 'shop', appDirPath: '.', command: ['sleep', '300']}
  await writeWorktrees(rig, {'dapr.yaml': JSON.stringify({version: 1, apps: [app]})}, ['pr', 'try'])
  await rig.write({
    'main/.git/HEAD': 'ref: refs/heads/main\n',
    'main/.git/worktrees/pr/HEAD': 'ref: refs/heads/fix/cart\n'
  })
  const up = async (folder: string): Promise<void> => {
    rig.pillion(['up'], {folder})
    t.match(await rig.run(['wait', '--for', 'ready'], {folder}), {code: 0})
  }
  await up('main')

  await t.test('the header names the branch, and links the copies that run', async t => {
    const {page, troubles} = await open(browser, await addressIn(rig, 'main'))
    const bar = page.getByRole('banner')
    await bar.getByText('main', {exact: true}).nth(1).waitFor()
    const list = bar.getByRole('group')
    t.equal(await list.count(), 0, 'the others do not run')
    await up('pr')
    // as somebody does who comes back to the tab
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await bar.getByText('1 other copy').click()
    const link = bar.getByRole('link', {name: 'pr', exact: true})
    t.match(await link.getAttribute('href'), /^http:\/\/127\.0\.0\.1:9[78]\d\d\/#t=[\w-]{43}$/)
    await bar.getByText('fix/cart').waitFor()
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({colorScheme})
      t.same(await violations(page), [])
    }
    await page.keyboard.press('Escape')
    await link.waitFor({state: 'hidden'})
    await page.keyboard.press('Enter')
    await link.click()
    await bar.getByText('fix/cart', {exact: true}).waitFor()
    t.match(await page.title(), /^Apps · pr · Pillion$/)
    await bar.getByText('1 other copy').click()
    await bar.getByRole('link', {name: 'main', exact: true}).waitFor()
    await page.goBack()
    await bar.getByText('1 other copy').waitFor()
    t.match(await page.title(), /· main ·/)
    t.same(troubles, [])
  })

  await t.test('who may only look sees the others, without a way to what may be changed', async t => {
    const {page} = await open(browser, await addressIn(rig, 'main', '--read-only'))
    const bar = page.getByRole('banner')
    await bar.getByText('1 other copy').click()
    await bar.getByText('fix/cart').waitFor()
    t.equal(await bar.getByRole('link', {name: 'pr', exact: true}).count(), 0)
  })
})
