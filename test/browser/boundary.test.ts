/** What is shown of a view that throws while it is drawn. */
import {build} from 'esbuild'
import t from 'tap'
import {withBrowser} from './browser.ts'

/** A page of two views, the first of which cannot be drawn until `isMended`. */
const PAGE = `
  import {render} from 'preact'
  import {useState} from 'preact/hooks'
  import {Boundary} from './page/parts/boundary.tsx'
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
        <main><Boundary key={view}>{view === 'broken' ? <Broken /> : <p>the whole one</p>}</Boundary></main>
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
