// What is inside a release besides our own code: the packages that are bundled, found by bundling, and Node.
import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {build} from 'esbuild'

/** Packages with a file in a bundle of the program or of the page, in the order of their names. */
async function bundledPackages(entries) {
  const {metafile} = await build({
    entryPoints: entries,
    outdir: 'none',
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    loader: {'.css': 'empty', '.svg': 'empty'}
  })
  const used = Object.values(metafile.outputs).flatMap(({inputs}) => Object.entries(inputs))
  const folders = used.flatMap(([path, {bytesInOutput}]) => {
    const found = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)
    return found !== null && bytesInOutput > 0 ? found[0] : []
  })
  const packages = [...new Set(folders)].map(folder => {
    const {name, version, license = 'UNKNOWN'} = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return {name, version, license: license.type ?? license, folder}
  })
  return packages.toSorted((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1))
}

/** The text of a package's licence; '' if it comes without. */
function licenceOf(folder) {
  const name = readdirSync(folder).find(file => /^(licen[cs]e|copying)/i.test(file))
  return name === undefined || !existsSync(join(folder, name)) ? '' : readFileSync(join(folder, name), 'utf8').trim()
}

/** A bill of materials (CycloneDX 1.6), and the licences of what it names, as text. */
export async function makeBill({name, version, node}) {
  const packages = await bundledPackages(['src/clients/cli/main.ts', 'page/main.tsx'])
  const component = ({name, version, license}) => ({
    type: 'library',
    name,
    version,
    licenses: /[ (]/.test(license) ? [{expression: license}] : [{license: {id: license}}],
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`
  })
  const runtime = {
    type: 'platform',
    name: 'node',
    version: node,
    licenses: [{license: {id: 'MIT'}}],
    purl: `pkg:generic/node@${node}`
  }
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {component: {type: 'application', name, version, licenses: [{license: {id: 'Apache-2.0'}}]}},
    components: [runtime, ...packages.map(component)]
  }
  const texts = packages.map(each => `${each.name} ${each.version}: ${each.license}\n\n${licenceOf(each.folder)}\n`)
  return {
    bill: `${JSON.stringify(bill, null, 2)}\n`,
    licences: [
      `Inside the executables is Node ${node}, whose licences are in its LICENSE file. In them and in the npm package:\n`,
      ...texts
    ].join(`\n${'-'.repeat(80)}\n\n`)
  }
}
