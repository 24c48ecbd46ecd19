/** What is shown of a view that throws while it is drawn. */
import {build} from 'esbuild'
import t from 'tap'
import {open, withBrowser} from './browser.ts'
import {call, madeUp} from './made-up.ts'

/** A page of two views, the first of which cannot be drawn until `isMended`. */
const PAGE = `
  import {render} from 'preact'
  import {useState} from 'preact/hooks'
  import {Boundary} from './page/parts/boundary.tsx'
  const PLACES = {broken: {}, whole: {}}
  const Broken = () => {
    if (!globalThis.isMended) throw new TypeError('hosts is undefined')
    return <p>mended</p>
  }
  function Page() {
    const [view, show] = useState('broken')
    return (
      <>
        <button onClick={() => show('whole')}>whole</button>
        <button onClick={() => show('broken')}>broken</button>
        <main><Boundary place={PLACES[view]}>{view === 'broken' ? <Broken /> : <p>the whole one</p>}</Boundary></main>
      </>
    )
  }
  render(<Page />, document.body)
`

t.test('a view that cannot be drawn takes none with it', async t =>
  withBrowser(t, async browser => {
    const {outputFiles} = await build({
      stdin: {contents: PAGE, loader: 'tsx', resolveDir: process.cwd()},
      bundle: true,
      write: false,
      jsx: 'automatic',
      jsxImportSource: 'preact',
      tsconfigRaw: '{}'
    })
    const page = await browser.newPage()
    const said: string[] = []
    page.on('console', message => said.push(message.text()))
    page.on('pageerror', error => said.push(`thrown: ${error.message}`))
    await page.addScriptTag({content: outputFiles[0]?.text ?? ''})
    await page.getByText('hosts is undefined').waitFor()
    await page.getByRole('button', {name: 'whole'}).click()
    await page.getByText('the whole one').waitFor()
    t.equal(await page.getByRole('alert').count(), 0)
    await page.getByRole('button', {name: 'broken'}).click()
    await page.getByRole('button', {name: 'Load the page again'}).waitFor()
    await page.evaluate('globalThis.isMended = true')
    await page.getByRole('button', {name: 'Try again'}).click()
    await page.getByText('mended').waitFor()
    t.ok(said.length > 0 && said.every(text => text.startsWith('TypeError: hosts is undefined')), said.join('\n'))
    await page.close()
  })
)

t.test('at another address of a view that could not be drawn it is drawn', async t =>
  withBrowser(t, async browser => {
    const run = await madeUp(t)
    run.answers['GET /calls'] = {last: 7, calls: [call(7)]}
    run.answers['GET /calls/7'] = {...call(7)} // of a run that leaves out the request
    const {page} = await open(browser, run.url)
    await page.getByRole('link', {name: 'Calls'}).click()
    await page.getByRole('grid', {name: 'Calls', exact: true}).getByText('GET /orders/7').click()
    await page.getByText('This view cannot be shown').waitFor()
    await page.goBack()
    await page.getByRole('grid', {name: 'Calls', exact: true}).getByText('GET /orders/7').waitFor()
    await page.goForward()
    await page.getByText('This view cannot be shown').waitFor()
  })
)
