/** Cookie values that Python reads and writes as Muffin does. */

import { assertEquals } from "@std/assert";
import { base64Backend } from "../../backends/base64.ts";
import { fernetBackend } from "../../backends/fernet.ts";
import { hasPython, runPython } from "../_processes.ts";
import { PYTHON_TOKENS } from "../backends/_fernet.ts";

const DATA = { name: "zoë €", list: [1, null, true], q: "~~~???>>>" };

const BASE64 = `
import base64, json, sys
data = json.loads(base64.urlsafe_b64decode(json.loads(sys.argv[1])))
value = base64.urlsafe_b64encode(json.dumps(data).encode()).decode()
print(json.dumps([data, value]))`;

const FERNET = `
import base64, json, sys
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

answers = []
for secret, token in json.loads(sys.argv[1]):
    key = secret.encode()
    if len(key) == 32:
        key = base64.urlsafe_b64encode(key)
    elif len(key) != 44:
        hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"denizen fernet")
        key = base64.urlsafe_b64encode(hkdf.derive(key))
    fernet = Fernet(key)
    data = json.loads(fernet.decrypt(token.encode(), ttl=60))
    answers.append([data, fernet.encrypt(json.dumps(data).encode()).decode()])
print(json.dumps(answers))`;

Deno.test({
  name: "base64Backend exchanges values with Python both ways",
  ignore: !await hasPython("base64"),
  async fn() {
    const backend = base64Backend();
    const value = await backend.save(DATA);
    const answer = await runPython(BASE64, value) as [unknown, string];
    const [read, written] = answer;
    assertEquals(read, DATA);
    assertEquals(await backend.load(written), DATA);
  },
});

Deno.test({
  name: "fernetBackend exchanges tokens with Python's cryptography both ways",
  ignore: !await hasPython("cryptography"),
  async fn() {
    const backends = PYTHON_TOKENS.map(({ secretKey }) =>
      fernetBackend({ secretKey, maxAge: 60 })
    );
    const input = await Promise.all(
      backends.map(async (backend, index) => [
        PYTHON_TOKENS[index].secretKey,
        await backend.save(DATA),
      ]),
    );
    const answers = await runPython(FERNET, input) as [unknown, string][];
    assertEquals(answers.length, backends.length);
    for (const [index, [read, written]] of answers.entries()) {
      const { what } = PYTHON_TOKENS[index];
      assertEquals(read, DATA, what);
      assertEquals(await backends[index].load(written), DATA, what);
    }
  },
});
