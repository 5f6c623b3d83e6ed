import { assertEquals } from "@std/assert";
import { Browser, locationOf, Site } from "../_login.ts";

/** Login pages as asked for, the app's `redirectUrl`, and where a login leads. */
const TARGETS: [path: string, redirectUrl: string | undefined, to: string][] = [
  ["/login", undefined, "/"],
  ["/login", "/home", "/home"],
  ["/login", "https://app.example.com/", "https://app.example.com/"],
  ["/login?next=%2Fcart", undefined, "/cart"],
  ["/login?next=%2Fcart", "/home", "/cart"],
  ["/login?next=/cart", "/home", "/cart"],
  ["/login?lang=de&next=%2Fcart", "/home", "/cart"],
  ["/login?next=%2Fcart%3Fa%3D1%26b%3D2%23c", "/home", "/cart?a=1&b=2#c"],
  ["/login?next=%2Fcaf%C3%A9%3Fq%3D%C3%BC", "/home", "/caf%C3%A9?q=%C3%BC"],
  ["/login?next=%2Fa%252Fb", "/home", "/a%2Fb"],
  ["/login?next=/a&next=/b", "/home", "/a"],
  // Not safe.
  ["/login?next=", undefined, "/"],
  ["/login?next=", "/home", "/home"],
  ["/login?next=//evil.example", undefined, "/"],
  ["/login?next=//evil.example", "/home", "/home"],
  ["/login?next=%2F%09%2Fevil.example", "/home", "/home"],
  ["/login?next=https://evil.example/", "/home", "/home"],
  // The login page itself.
  ["/login?next=/login", undefined, "/"],
  ["/login?next=/login", "/home", "/home"],
  ["/login?next=/login%3Fnext%3D/cart", "/home", "/home"],
  ["/login?next=/login%23top", "/home", "/home"],
  ["/login?next=/cart/../login", "/home", "/home"],
  ["/login?next=/login/help", "/home", "/login/help"],
];

for (const [path, redirectUrl, to] of TARGETS) {
  Deno.test(`login.loginUser() leads from ${path} to ${to} where redirectUrl is ${redirectUrl}`, async () => {
    const site = new Site();
    const options = { redirectUrl };
    const response = await site.logIn(new Browser(), site.susan, options, path);
    assertEquals(locationOf(response), [302, to]);
  });
}
