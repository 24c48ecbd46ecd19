// Resolves `x-tools` of schema/api.yaml to the tools of `pillion mcp`: each argument gets its type from the routes of the tool.

const NO_PARAMETERS = []

/** The text of `src/clients/mcp/tools.generated.js`. */
export function toolsOf(api) {
  const resolved = part =>
    part.$ref === undefined
      ? part
      : part.$ref
          .split('/')
          .slice(1)
          .reduce((whole, key) => whole[key], api)

  /** Reads `GET /workflow + GET /workflow/timeline`: the first route has the arguments. */
  const choiceOf = text => {
    const routes = text.split(' + ')
    const [method, path] = routes[0].split(' ')
    const {parameters: common = NO_PARAMETERS, [method.toLowerCase()]: operation} = api.paths[path]
    const all = [...common, ...(operation.parameters ?? NO_PARAMETERS)].map(resolved)
    const {properties = {}, required = []} = resolved(operation.requestBody?.content['application/json']?.schema ?? {})
    const types = {...Object.fromEntries(all.map(({name, schema}) => [name, schema])), ...properties}
    return {routes, types, required: [...all.filter(each => each.required).map(({name}) => name), ...required]}
  }

  const propertyOf = (name, {is, any, ...own}, choices) => {
    if (any === true || own.type !== undefined) return own
    const [first, inner] = (is ?? name).split('.')
    const found = choices.map(({types}) => types[first]).find(type => type !== undefined)
    const outer = found && resolved(found)
    const whole = inner === undefined ? outer : outer?.properties?.[inner]
    if (whole === undefined) throw new Error(`schema/api.yaml: no route has ${name}`)
    const {type = 'string', items, enum: words, minimum, maximum} = whole
    return {type, items, enum: words, minimum, maximum, ...own}
  }

  const rows = Object.entries(api['x-tools']).map(([name, {arguments: given, routes = [], ...row}]) => {
    const choices = routes.map(choiceOf)
    const all = Object.entries(given).map(([key, each]) => [key, typeof each === 'string' ? {description: each} : each])
    return {
      ...row,
      name,
      choices: choices.map(({types, ...choice}) => ({...choice, takes: Object.keys(types)})),
      properties: Object.fromEntries(all.map(([key, each]) => [key, propertyOf(key, each, choices)])),
      names: Object.fromEntries(all.flatMap(([key, {is}]) => (is === undefined ? [] : [[key, is]])))
    }
  })
  return `// Written by build-tools.js from schema/api.yaml.\nexport const ROWS = ${JSON.stringify(rows)}\n`
}
