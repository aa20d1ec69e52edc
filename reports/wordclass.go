package reports

import (
	"strings"

	"glimpse/metrics/stats"
)

// A wordClass is a kind of words, named in the plural.
type wordClass string

// The classes in the order in which figures show them: from words that the
// language alone could supply to those that only the picture can.
const (
	determiners  wordClass = "determiners"
	prepositions wordClass = "prepositions"
	auxiliaries  wordClass = "auxiliary verbs"
	functions    wordClass = "other function words"
	adverbs      wordClass = "adverbs"
	verbs        wordClass = "verbs"
	nouns        wordClass = "nouns"
	adjectives   wordClass = "adjectives"
	colourWords  wordClass = "colours"
	numbers      wordClass = "numbers"
)

var wordClasses = []wordClass{determiners, prepositions, auxiliaries, functions, adverbs, verbs, nouns, adjectives, colourWords, numbers}

// kinds say what those who claim that a captioner knows when to look say of a
// class; of the others they say nothing.
var kinds = map[wordClass]stats.Kind{
	determiners: stats.FunctionWord, prepositions: stats.FunctionWord, auxiliaries: stats.FunctionWord, functions: stats.FunctionWord,
	nouns: stats.VisualWord, colourWords: stats.VisualWord, numbers: stats.VisualWord,
}

// WordClasses names the classes in the order in which figures show them.
func WordClasses() []string {
	names := make([]string, len(wordClasses))
	for i, c := range wordClasses {
		names[i] = string(c)
	}
	return names
}

// classes gives the class of each word of a caption. It is a small tagger for
// the English of captions: closed classes, colours, numbers and common
// adjectives are lists; words in -ly are adverbs; words in -ing and -ed, and
// the verbs of a list with their endings, are verbs, save that one of the list
// that follows a determiner, a preposition, an adjective, a colour, a number or
// 's is a noun ("down a slide"); all else is a noun.
func classes(words []string) []wordClass {
	list := make([]wordClass, len(words))
	for i, w := range words {
		switch {
		case listed[w] != "":
			list[i] = listed[w]
		case verbForms[w]:
			list[i] = verbs
			if i > 0 && (beforeNoun[list[i-1]] || words[i-1] == "'s") {
				list[i] = nouns
			}
		case strings.HasSuffix(w, "ly") && len(w) > 4:
			list[i] = adverbs
		case len(w) > 4 && (strings.HasSuffix(w, "ing") || strings.HasSuffix(w, "ed")):
			list[i] = verbs
		default:
			list[i] = nouns
		}
	}
	return list
}

// beforeNoun are the classes that a noun follows and a finite verb does not.
var beforeNoun = map[wordClass]bool{determiners: true, prepositions: true, adjectives: true, colourWords: true, numbers: true}

// listed are the words whose class is known whatever their neighbours.
var listed = listWords(map[wordClass]string{
	determiners: "a an the this these those some another each both all every any no its his her their my your our other either",
	prepositions: "in on with of at through down over up by into near for from outside out off behind across along against " +
		"above around onto towards toward under beside past inside during between among amongst beneath underneath below " +
		"atop alongside upon without within about after before amid amidst beyond via like",
	auxiliaries: "is are was were be being been am has have had do does did can could will would may might",
	functions: "and or but while whilst as to who whom which that what where when if than so because it he she they we you i " +
		"him them himself herself itself themselves there something someone somebody one's not 's n't 'll",
	numbers: "one two three four five six seven eight nine ten eleven twelve dozen hundred several many few " +
		"1 2 3 4 5 6 7 8 9 10 single pair couple",
	colourWords: "white black red brown blue green yellow orange pink purple gray grey tan beige gold golden silver blond blonde " +
		"cream maroon teal turquoise violet",
	adjectives: "young little small large big long high tall short old older elderly adult middle-aged wet dry open dark light bright " +
		"grassy snowy sandy rocky muddy dirty wooden busy crowded steep shallow deep wide low huge giant tiny empty full " +
		"colorful colored multicolored striped plaid spotted wooded paved fenced bearded haired shirtless naked bald barefoot " +
		"asian african american indian german happy sunny cloudy hot cold cool icy green-haired furry fluffy shaggy curly hairy " +
		"public indoor outdoor urban rural male female teenage snow-covered upper lower top silly bottom different same next " +
		"first second third professional beautiful funny clear heavy thin thick round loose lone own various similar ready " +
		"plastic metal inflatable oriental floral bare blurry foamy hilly dusty leafy concrete",
	adverbs: "very together away upside too just only also now then almost apart forward forwards backward backwards downhill uphill " +
		"outdoors indoors nearby overhead midair airborne ahead here well",
	nouns: "building buildings clothing railing swimming-pool string ring king wing wings spring ceiling evening morning thing things " +
		"wedding painting awning lightning stocking earring sibling duckling landing parking bed shed sled red-head seed weed " +
		"speed feed people child children family front rally butterfly belly jelly lily bully",
})

// verbForms are verbs that captions use in the present tense, and irregular
// forms of others; many could be nouns too.
var verbForms = verbEndings(`jump run walk play stand sit ride hold look watch climb swim sleep carry catch chase throw wear make take pose
	smile leap fly hang lean lie lay perform go come get give kick hit dig drink eat fight fish hike hug jog kiss laugh lead lick
	march paddle paint pass pet point prepare pull push race raise reach read rest roll row run sail score serve shake share shop
	show sing skate ski slide sniff splash spray stare step stop surf swing talk tackle toss touch travel try turn use wade wait
	watch wave wrestle attempt balance bite blow bounce cross dance dress drive enjoy fall fetch float follow gather grab grind
	help hop hurdle keep kneel land move participate retrieve rid seem shoot shovel speak spin squat stick stretch tug twirl work
	appear approach cheer compete crawl crouch cut dive drag draw dunk explore face gaze glide greet line overlook peer pick plunge
	rock snowboard skateboard snuggle stroll surround trick tumble view whisper`,
	"ran sat stood held lying laid laying tied worn seen taken thrown caught fallen shown made done gone torn bent lit led "+
		"wading riding tying dying skiing surrounded seated dressed covered")

func listWords(byClass map[wordClass]string) map[string]wordClass {
	list := map[string]wordClass{}
	for class, text := range byClass {
		for _, w := range strings.Fields(text) {
			list[w] = class
		}
	}
	return list
}

// verbEndings are verbs with and without the ending of the third person, and
// further forms as they are.
func verbEndings(verbs, forms string) map[string]bool {
	list := map[string]bool{}
	for _, v := range strings.Fields(verbs) {
		list[v] = true
		switch {
		case strings.HasSuffix(v, "y") && !strings.ContainsRune("aeou", rune(v[len(v)-2])):
			list[strings.TrimSuffix(v, "y")+"ies"] = true
		case strings.HasSuffix(v, "ch"), strings.HasSuffix(v, "sh"), strings.HasSuffix(v, "s"), strings.HasSuffix(v, "o"):
			list[v+"es"] = true
		default:
			list[v+"s"] = true
		}
	}
	for _, f := range strings.Fields(forms) {
		list[f] = true
	}
	return list
}
