// What every page does with a script, none of which reading needs: choosing how it looks, and dates told from today.

import "./look.js";
import { tellFromToday } from "./dates.js";

tellFromToday(document);
