// Writes the validators compiled from the template's schema, the API's description as JSON, its types and tools, and Dapr's messages.
// Then writes dist: the page and the program. `node scripts/build.js schema` writes no dist.
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {Ajv} from 'ajv'
import {parse as parseYaml} from 'yaml'
import standalone from 'ajv/dist/standalone/index.js'
import {apiTypes} from './build-api-types.js'
import {toolsOf} from './build-tools.js'
import {compileProto} from './build-proto.js'
import {buildPage} from './build-page.js'
import {packProgram} from './pack.js'

/**
 * One validator for each key that says in an `errorMessage` what was expected; Dapr's own keys are read by Dapr's rules instead.
 * Of `later` only the type is checked when a template is loaded, and what is inside when it is used: `only` compiles these alone.
 */
function compileSchema({later = [], only}) {
  const annotations = new Set(['title', 'description', 'default', 'examples'])
  const text = readFileSync('schema/template.json', 'utf8')
  const schema = JSON.parse(text, (key, value) => (annotations.has(key) ? undefined : value))
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    messages: false, // `errorMessage` says it
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    code: {source: true, esm: true}
  })
  // its keys are read by src/files/config/fault.ts, which says what is wrong in the same words for a template and for the API
  const {type, errorMessage} = schema.definitions.fault
  schema.definitions.fault = {type, errorMessage}
  for (const key of later) {
    const {type: one, errorMessage: words} = schema.definitions[key]
    schema.definitions[key] = {type: one, errorMessage: words}
  }
  ajv.addVocabulary(['errorMessage'])
  ajv.addSchema(schema)
  const validators = {}
  const sections = {'/properties': schema.properties, '/definitions/app/properties': schema.definitions.app.properties}
  for (const [at, keys] of Object.entries(sections))
    for (const [key, {$ref = `#${at}/${key}`, errorMessage = schema.definitions[key]?.errorMessage}] of Object.entries(
      keys
    ))
      if (errorMessage !== undefined && (only ?? key) === key) validators[key] = schema.$id + $ref
  // of an error we read the place, the parameters and the schema that was not met: each run loads this code
  const code = standalone
    .default(ajv, validators)
    .replaceAll(', parentData, parentDataProperty, rootData=data', '')
    .replaceAll(/schemaPath:"[^"]*",keyword:"[^"]*",/g, '')
    .replaceAll(/schema:(?:[\w.]+|"[^"]*"),(parentSchema:[\w.]+),data\d*}/g, '$1}')
    .replaceAll(
      /if\(vErrors === null\)\{vErrors = \[(err\d+)\];\}else \{vErrors\.push\(\1\);\}/g,
      '(vErrors ??= []).push($1);'
    )
  return `// Written by scripts/build.js from schema/template.json.\n${code}\nexport const validators = {${Object.keys(validators)}}\n`
}

writeFileSync('src/files/config/schema.generated.js', compileSchema({later: ['kubernetes']}))
writeFileSync('src/files/config/kubernetes.generated.js', compileSchema({only: 'kubernetes'}))
const api = parseYaml(readFileSync('schema/api.yaml', 'utf8'))
writeFileSync('src/model/api.generated.ts', apiTypes(api))
writeFileSync(
  'src/observe/api/openapi.generated.js',
  `// Written by scripts/build.js from schema/api.yaml.\nexport default ${JSON.stringify(JSON.stringify(api))}\n`
)
writeFileSync('src/clients/mcp/tools.generated.js', toolsOf(api))
compileProto()
if (process.argv[2] === 'schema') process.exit()

rmSync('dist', {recursive: true, force: true})
mkdirSync('dist')
await buildPage()
await packProgram()
