// A rule of lint with two faults of work that several callers share. First: who waits for it does not end its entry. Each of those
// who wait would do so, and the second one ends what has been begun since; `model/single-flight.ts` is the form without that fault.
// Second: a field that keeps the promise of loaded code keeps a failure, too; `model/once.ts` does not.

const MESSAGE =
  'others may wait for the same work: what is reset here may be what came after it. Use SingleFlight, or look whether it is still the same'
const KEPT = 'if the code cannot be loaded now, it never will be: the promise is kept. Use Once of model/once.ts'

/** The name of `this.name`; undefined: it is something else. */
const fieldOf = node =>
  node?.type === 'MemberExpression' && node.object.type === 'ThisExpression' ? node.property.name : undefined

/** The name of the field that a statement resets, by `this.#field = undefined` or `this.#field.delete(key)`, and the key. */
function resetOf({type, expression}) {
  if (type !== 'ExpressionStatement') return undefined
  if (expression.type === 'AssignmentExpression' && expression.right.name === 'undefined')
    return {field: fieldOf(expression.left)}
  const {callee, arguments: [key] = []} = expression.type === 'CallExpression' ? expression : {}
  return callee?.property?.name === 'delete' ? {field: fieldOf(callee.object), key} : undefined
}

/** What is in a set is known by itself: whoever removes it has put it there. */
function isMap(node, name) {
  let at = node
  while (at.type !== 'ClassBody') at = at.parent
  const declared = at.body.find(({type, key}) => type === 'PropertyDefinition' && key.name === name)
  return declared?.value?.callee?.name === 'Map'
}

/** What a statement awaits that was begun elsewhere: a variable or a field, no call. */
function awaitedIn(statement) {
  const {expression, argument, declarations: [declared] = []} = statement
  const value =
    argument ?? declared?.init ?? (expression?.type === 'AssignmentExpression' ? expression.right : expression)
  const awaited = value?.type === 'AwaitExpression' ? value.argument : undefined
  return awaited?.type === 'Identifier' || fieldOf(awaited) !== undefined ? awaited : undefined
}

/** Whether a value is the promise of code that is loaded: `import(…)`, `import(…).then(…)`. */
const isLoading = node =>
  node?.type === 'ImportExpression' || (node?.type === 'CallExpression' && isLoading(node.callee.object))

const rule = {
  create: context => ({
    AssignmentExpression(node) {
      if (node.operator === '??=' && isLoading(node.right)) context.report({node, message: KEPT})
    },
    TryStatement({block, handler, finalizer}) {
      const awaited = block.body.map(awaitedIn).filter(each => each !== undefined)
      if (awaited.length === 0) return
      for (const statement of [...(handler?.body.body ?? []), ...(finalizer?.body ?? [])]) {
        const {field, key} = resetOf(statement) ?? {}
        if (field === undefined || (key !== undefined && !isMap(statement, field))) continue
        // an entry whose key is the work itself is nobody else's
        if (!awaited.some(({name}) => name !== undefined && name === key?.name))
          context.report({node: statement, message: MESSAGE})
      }
    }
  })
}

export default rule
