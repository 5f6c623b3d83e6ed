import { assert, assertEquals } from "@std/assert";

const FOLDER = new URL("../../.github/workflows/", import.meta.url);
const workflows = [...Deno.readDirSync(FOLDER)].map(({ name }) => name);

for (const name of workflows) {
  const text = Deno.readTextFileSync(new URL(name, FOLDER));

  Deno.test(`rule 25, workflows: ${name} pins each action by its commit`, () => {
    const actions = [...text.matchAll(/uses: (\S+)/g)].map(([, uses]) => uses);
    assert(actions.length > 0);
    const loose = actions.filter((uses) => !/@[0-9a-f]{40}$/.test(uses));
    assertEquals(loose, []);
  });

  Deno.test(`rule 25, workflows: ${name} tests on the packages of JSR`, () => {
    assert(text.indexOf("deno task setup --genuine") > 0);
  });

  Deno.test(`rule 25, workflows: ${name} runs nothing in a job that may publish`, () => {
    const jobs = text.split(/\n {2}(?=\w+:\n)/);
    for (const job of jobs.filter((job) => job.includes("id-token: write"))) {
      const runs = [...job.matchAll(/run: (.*)/g)].map(([, command]) =>
        command
      );
      assertEquals(runs, ["deno publish"]);
    }
  });
}
