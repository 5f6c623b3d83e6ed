// Serves a bundle on Deno.
const { makeSite } = await import(Deno.args[0]);

function upgrade(request) {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onopen = () => socket.send("hello");
  return response;
}

const onListen = ({ port }) => console.log(`http://127.0.0.1:${port}/`);
Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, makeSite(upgrade));
