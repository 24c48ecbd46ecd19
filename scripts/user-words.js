// A rule of lint: an object literal has more keys than are written in it, such as `constructor` and `__proto__`. So a word that a
// user, an app or a file may have written is looked up in it by `ownOf` of `model/own.ts`, and what is gathered by such words begins
// as `emptyRecord`.

const READ = 'an object literal knows `constructor`, too: look the word up by ownOf of model/own.ts'
const WRITTEN = 'a key `__proto__` would be lost: begin with emptyRecord() of model/own.ts'

/** The literal without `as const` and `satisfies`. */
function literalOf(node) {
  if (node === null || node === undefined) return undefined
  return node.type === 'ObjectExpression' ? node : literalOf(node.expression)
}

/** The object literal that a name stands for; undefined: it stands for something else. */
function tableOf(scope, name) {
  for (let at = scope; at !== null; at = at.upper)
    if (at.set.has(name)) return literalOf(at.set.get(name).defs[0]?.node.init)
  return undefined
}

/** Whether only numbers are looked up in a table, by its keys. */
const isOfNumbers = ({properties}) =>
  properties.length > 0 && properties.every(({computed, key}) => !computed && typeof key?.value === 'number')

/** Whether code doubts that something is there: `it ?? …`, `it?.…`, `it === undefined`, `if (it)`. */
function isDoubted(node) {
  const {parent} = node
  if (parent.type === 'LogicalExpression') return parent.left === node
  if (parent.type === 'MemberExpression' || parent.type === 'CallExpression') return parent.optional
  if (parent.type === 'IfStatement' || parent.type === 'ConditionalExpression') return parent.test === node
  return parent.type === 'BinaryExpression' && [parent.left, parent.right].some(({name}) => name === 'undefined')
}

const rule = {
  create: context => {
    const of = node => (node.type === 'Identifier' ? tableOf(context.sourceCode.getScope(node), node.name) : undefined)
    /** Whether what was found is doubted, there or where the constant is used that it is kept in. */
    const mayBeMissing = node =>
      node.parent.type === 'VariableDeclarator'
        ? context.sourceCode
            .getDeclaredVariables(node.parent)
            .some(({references}) => references.some(({identifier}) => isDoubted(identifier)))
        : isDoubted(node)
    return {
      MemberExpression(node) {
        const {computed, object, property, parent} = node
        if (!computed || property.type === 'Literal') return
        const table = of(object)
        if (table === undefined) return
        const isWritten = parent.type === 'AssignmentExpression' && parent.left === node
        if (isWritten && table.properties.length === 0) context.report({node, message: WRITTEN})
        else if (!isWritten && mayBeMissing(node) && !isOfNumbers(table)) context.report({node, message: READ})
      },
      BinaryExpression({operator, left, right}) {
        if (operator === 'in' && left.type !== 'Literal' && of(right) !== undefined)
          context.report({node: right, message: READ})
      }
    }
  }
}

export default rule
