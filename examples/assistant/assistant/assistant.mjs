// Asks a language model, which asks back what is on the shelf: a tool that runs here. No SDK, no key.
const SHELF = {pear: 2, apple: 0}
const tools = [
  {
    function: {
      name: 'count',
      description: 'How many of a fruit are on the shelf',
      parameters: {type: 'object', properties: {fruit: {type: 'string'}}, required: ['fruit']}
    }
  }
]
const url = `http://localhost:${process.env.DAPR_HTTP_PORT}/v1.0-alpha2/conversation/llm/converse`

async function answer(messages) {
  const body = JSON.stringify({inputs: [{messages}], tools, temperature: 0})
  const response = await fetch(url, {method: 'POST', body})
  const told = await response.json()
  if (!response.ok) throw new Error(told.message)
  return told.outputs[0].choices[0].message
}

const messages = []
for (const text of ['Can I have a pear?', 'And an apple?']) {
  console.log(`> ${text}`)
  messages.push({ofUser: {content: [{text}]}})
  for (;;) {
    const {content = '', toolCalls = []} = await answer(messages)
    messages.push({ofAssistant: {content: content === '' ? [] : [{text: content}], toolCalls}})
    if (toolCalls.length === 0) {
      console.log(content)
      break
    }
    for (const {id, function: wish} of toolCalls) {
      const {fruit} = JSON.parse(wish.arguments)
      console.log(`(${wish.name}: ${fruit})`)
      const text = `${SHELF[fruit] ?? 0}`
      messages.push({ofTool: {toolId: id, name: wish.name, content: [{text}]}})
    }
  }
}
