import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {open, toView, violations, withBrowser} from './browser.ts'
import {fault, FIRST_VIEW, madeUp} from './made-up.ts'

const finding = (more: Partial<Api.TemplateFinding>): Api.TemplateFinding => ({
  file: '/work/shop/dapr.yaml',
  line: 1,
  column: 1,
  severity: 'warning',
  code: '',
  message: '',
  expected: '',
  hint: '',
  lines: '',
  ...more
})

const TEMPLATE = {
  files: [
    {
      file: '/work/shop/dapr.yaml',
      text: 'version: 1\napps:\n  - appID: checkout\n    comand: [ls]\n    env: {X: "<img src=x onerror=alert(1)>\u202e"}\n'
    }
  ],
  findings: [
    finding({
      line: 3,
      severity: 'observed',
      message: 'checkout calls payments: not in its dependsOn',
      lines: 'dependsOn: [payments]'
    }),
    finding({line: 4, message: 'comand is ignored: unknown key', hint: 'did you mean command?'}),
    finding({file: '/work/shop/more.yaml', line: 7, severity: 'error', message: 'it is no YAML'})
  ]
}

t.test('the template', async t =>
  withBrowser(t, async browser => {
    await t.test('shows what is wrong at its lines, and what calls say of dependsOn', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      run.answers['GET /template'] = TEMPLATE
      const {page, troubles} = await open(browser, run.url)
      await toView(page, 'Template')
      const file = page.getByRole('region', {name: '/work/shop/dapr.yaml'})
      const line = (nth: number) => file.getByRole('listitem').nth(nth - 1)
      await line(4).getByText('comand is ignored: unknown key; did you mean command?').waitFor()
      await line(3).getByText('dependsOn: [payments]', {exact: true}).waitFor()
      await line(3).getByRole('button', {name: 'Copy the line'}).waitFor()
      await line(5).getByText('<img src=x onerror=alert(1)>[U+202E]').waitFor()
      await page.getByText('/work/shop/more.yaml:7').waitFor()
      await page.getByText('1 mistake, 1 warning, 1 difference from dependsOn').waitFor()
      run.answers['GET /template'] = {...TEMPLATE, findings: []}
      await page.getByRole('button', {name: 'Check again'}).click()
      await page.getByText('nothing is wrong with it').waitFor()
      t.same(troubles, [])
    })

    await t.test('an edit that has a mistake, or restarts nothing, is shown', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      run.answers['GET /template'] = TEMPLATE
      const {page} = await open(browser, run.url)
      await toView(page, 'Template')
      await page.getByText('1 mistake, 1 warning').waitFor()
      run.answers['GET /template'] = {...TEMPLATE, findings: []}
      run.send('note', {code: 'template-edit-failed', text: 'the edited template has a mistake'}, 1001)
      await page.getByText('nothing is wrong with it').waitFor()
      t.pass('it is asked again')
    })

    await t.test('is not asked again for each call that a fault hits', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      run.answers['GET /template'] = {files: [], findings: []}
      const {page} = await open(browser, run.url)
      await toView(page, 'Template')
      await page.getByText('nothing is wrong with it').waitFor()
      const asked = (): number => run.asked.filter(each => each === 'GET /template').length
      const before = asked()
      run.send('fault', {change: 'hit', fault: fault(1), text: ''})
      await page.getByRole('link', {name: /^Faults ?1$/}).waitFor()
      const again = page.waitForResponse(/template$/)
      run.send('fault', {change: 'off', fault: fault(1), text: ''}, 1001)
      await again
      t.equal(asked(), before + 1)
    })

    await t.test('says why there is none', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      const {page} = await open(browser, run.url)
      await toView(page, 'Template')
      await page.getByText('there is no /template. Look elsewhere.').waitFor()
      t.pass('it is said')
    })

    for (const theme of ['light', 'dark'] as const)
      await t.test(`breaks no rule of accessibility, ${theme}`, async t => {
        const run = await madeUp(t, {answers: FIRST_VIEW})
        // wider than any window, and without a button in it: keys scroll it
        const wide = {file: '/work/shop/mine.yaml', text: `apps: [${'{}, '.repeat(200)}]\n`}
        run.answers['GET /template'] = {...TEMPLATE, files: [...TEMPLATE.files, wide]}
        const {page} = await open(browser, run.url, theme)
        await toView(page, 'Template')
        await page.getByText('comand is ignored').waitFor()
        t.same(await violations(page), [])
      })

    await t.test('an answer that comes late does not replace a later one', async t => {
      const run = await madeUp(t, {answers: FIRST_VIEW})
      const {page} = await open(browser, run.url)
      let requests = 0
      const given = Promise.withResolvers<void>()
      let hold: ((number: number, goOn: () => void) => void) | undefined
      await page.route(/api.v1.template$/, async route => {
        const number = ++requests
        const json = {files: [{file: 'dapr.yaml', text: `number ${number}.`}], findings: []}
        const held = hold
        hold = undefined
        if (held !== undefined) await new Promise<void>(resolve => held(number, resolve))
        await route.fulfill({json}).catch(() => undefined) // it is not wanted any more
        if (held !== undefined) given.resolve()
      })
      await toView(page, 'Template')
      await page.getByText(/number \d/).waitFor()
      await run.followed('note')
      const late = new Promise<{readonly number: number; readonly goOn: () => void}>(resolve => {
        hold = (number, goOn) => resolve({number, goOn})
      })
      run.send('note', {code: 'edit', text: 'a mistake'}, 2001)
      const {number, goOn} = await late
      run.send('note', {code: 'edit', text: 'it is mended'}, 2002)
      await page.getByText(`number ${number + 1}.`).waitFor()
      goOn()
      await given.promise
      await page.evaluate('new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))')
      t.equal(await page.getByText(`number ${number}.`).count(), 0)
    })
  })
)
