/**
 * The setup file of a vitest project: loads heddle before the tests load what they test, so that no package keeps a timer of its own, and defines what
 * instrumented code calls. The plug-in names it; who wants no plug-in can: `setupFiles: ["heddle/vitest/setup"]`.
 */
import "../intercept/install.js";
import { installRuntime } from "../instrument/runtime.js";

installRuntime();
