//! More given names than [`super::names`] believes everywhere: enough to know a signature by.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::names::is_given;
use super::reading::one_of;

/// Given names, folded; of many peoples, in Cyrillic and in Latin letters.
static MORE: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "марат ринат айдар радик фарид фаина эмма клара нелли неля нелля стелла инга лаура лиана кирюха кирюша санек саня серега леха димон димас колян толик вовка вовчик витек юрик стасик владик костик славик жека леня ленчик ромка рома танюша танечка светик маринка наташка ленка иришка ирочка катюша катерина лидочка тоня тося нюра дуся глаша фрося муся люся люсьена леля лара рая римма мила милена юлиана юлианна юлиан есения мирослава мирослав бронислава станислава любава забава стефания стефан савва лука клим назар платон прокофий пантелей никифор никодим мстислав ростислав радмила северин серафима серафим евграф елисей емельян еремей зоряна игнатия капитон карп касьян кузьма лаврентий лукерья макарий марфа матрена мефодий модест нинель нонна остап пелагея прасковья рогнеда родион самсон самуил селиван силантий софрон спиридон сусанна тарас терентий трифон устинья фаддей федот феликс феодосия филат флора фома харитон христина эвелина эдита эдгар элеонора эльза эраст эрика эрнест яков ян янина ярина яромир нгуен джасур жасур отабек шахноза фируза мадина малика патимат хадижа залина алихан магомед расул шамиль тагир рашид равиль рафаил ришат фанис фаниль флюра ляйсан резеда розалия миляуша наиля нурия румия сания хамза севара сабина самира фарида хава юлдуз ясмина вардан ваган гагик геворг карине лусине нарине сурен тигран рубен ашот вазген гайк эрик гарри гога гия нодар нугзар отар реваз тамаз тенгиз этери нателла манана нино кетеван лали леван мераб заза сосо \
     kai shaz bronagh siobhan saoirse niamh aoife aisling sinead roisin grainne orla ciara maeve deirdre nuala declan eoin cormac cillian fergus padraig seamus conor callum rhodri rhys gwen gwyneth cerys sian nerys bethan morwenna demelza loveday jude wilf wilfred leopold glenys tess maureen doreen noreen denise phil philippa pippa ron ronnie reg alf alfie bert bertie cyril cedric clive nigel trevor graham gordon malcolm neville desmond percival rupert barnaby jasper felix hugo ralph rosalind rosamund rosemary marjorie muriel mavis hilda edna edith ethel agnes winifred beryl brenda glenda gillian jacqueline yvonne yvette lorna moira isla eilidh mhairi ailsa kirsty hamish angus duncan lachlan ewan euan iain alasdair finlay rory tomasz piotr krzysztof wojciech agnieszka malgorzata zofia kasia magda marta beata ewa jolanta benedict ifeoma chidi chinedu ngozi adaeze amara folake tunde segun kwame kofi ama priya anjali deepa sunita rajesh sanjay vikram arjun kavita lakshmi meera nisha pooja ravi suresh imran bilal yusuf omar khalid hassan fatima aisha zainab maryam noor layla mei hiroshi kenji yuki akiko haruka minh linh nguyen carlos miguel javier alejandro guadalupe lupe rosario consuelo ximena esteban joaquin mateo diego paolo giovanni giuseppe luca matteo francesca chiara giulia lars sven ingrid astrid bjorn anders henrik soren dieter jurgen klaus gunther heike ulrike anke sabine bogdan mihai ioana dmitri zhanna anya tanya katya masha sasha misha zhenya latoya keisha tamika jamal tyrone darnell monique marcus terrence earl dwight homer floyd leroy otis winston errol bernadette marguerite genevieve colette elodie amelie camille mathilde thierry laurent philippe pascal gilles  рамзия рукият патимат заира залина фатима анфиса гульфия зульфира ильсияр минзаля назгуль жамиля айгерим жанна нургуль асем динар данияр ерлан серик тимофей аарон абдула абдулла абрам августа авдей авдотья аврора агата агафья агния ада адам адель адиль адриан аза азамат азат азиз айгуль айдар \
     айнур айрат айсылу аиша акакий аким аксинья алан алевтина алексия алим алла алмаз алсу альберт альбина альмира альфия алла амалия \
     амина амир анар анвар анзор анисья анита анжела анфиса аполлинария арам ариадна арина аристарх арман армен арслан артемий \
     асель асия аслан астемир ася ахмед аяз аделина агнесса айша альфред ануш анаит арсен артемида асхат аэлита багратион бахтияр \
     бауыржан бела белла берта бэлла богдана борислав бронислав булат василина велимир венера вениамин веня вера викентий вилен виолетта \
     виталина виталия влада владлен владлена власта всеслав габриэль гавриил газиз галим галия гаяне гарик герман гертруда глафира глория \
     гоар гордей гоша гузель гузелия гузаль гульназ гульшат гурам гюзель гульмира гульзара гюльнара давид давлат давут далия дамира дарий \
     дарьяна демид демьян дженнет джамал джамиля джамшут диляра дильнара дилшод добрыня доминика дорофей евдоким евдокия евлампия евстафий \
     егор елизар ерофей ефим ефимия ефрем жан жаннат ждан жора зарема зарина захира земфира зиновий зинаида зина злата зульфия зураб \
     зухра зейнаб ибрагим иван иветта игнат игнатий изабелла изольда ика илларион илона ильгиз ильнур ильхам ильяс инара инга инесса иннокентий \
     иоанн иосиф ипполит ирада ираида ираклий ирма иса искандер ислам исмаил ия казбек калерия камиль камила капитолина карен катерина \
     ким клара клим клементина кузьма кондрат корней кристиан лада лазарь лала лали лана лариса лаура левон лейла лейсан лена леня леон леонтий \
     леся лия лика лилиана лиана лина лола лолита лукерья лука лукьян люба любава люся люсьена любомир любовь магомед мадина макс \
     мая малика малика мансур маргарет мариам марианна марина марита марлен марта мартын марфа марьям матрена матфей мася махмуд \
     мелисса мила милада милена милица мира мирон мирослав мирослава митрофан митя модест муза муса муслим мухаммед мурат назар назира наиль \
     наиля наина нана натали нателла наум нелли неля неонила ника никандр никанор никодим никон нил ниса новелла нонна нора норайр нуржан \
     нурлан нурсултан оганес октябрина олесь олимпиада онисим ораз орест осип оскар остап павлина паисий памела патрик пахом пелагея \
     платон платонида порфирий потап прасковья прасковия равиль рада радик радмила радомир раушан рашид рамазан раис райхан рафаэль рафик рая \
     ревекка регина ренат рената ринат римма роберт родион роза розалия роксана ролан романа ростислав рубен рузанна рузиля рувим рустем \
     руфина рушан рэм сабина сабир савва савелий савелина савва салават салима самвел самира самсон сания сарра сатеник святослав севара \
     севастьян севиль семен серафим серафима сергей серго симон синельга соломон сослан спартак спиридон стелла стефан стефания сталина \
     султан сурен сусанна таир таисья тагир тамерлан тарас теймур тельман тереза терентий тигран тимошка тихон томас тоня трифон трофим \
     туйара тулпар тунзала ульян умар урузмаг устин устинья фаддей фаина фанис фания фарид фарида фархад фарух фатима федот федора \
     феликс фекла фердинанд фирдаус фирюза флора фома франц фрида фидан хава хадижа хаким халил халима хамид хасан харитон хачатур \
     хачик христина христофор цветана чеслав чингиз чулпан шакир шамиль шарлотта шахноза шота шерзод шура эвелина эдгар эдик эвальд \
     элеонора элиза элла эллина элла эльза эльмира эльнара эльнур эмин эмир эмма эраст эрик эрика эрнест эсмира этери юлиан юлиана юлий юнна юнус \
     юсуф юрик юстина ядвига яков якуб ян янина янис ярополк яромир ярослава яша владик лёня леня аля алька дашка катюша ксюха маруся мариша танюша \
     надюша настёна олежка стёпа степаныч михалыч петрович иваныч палыч семёныч семеныч кузьмич григорьич санек саня саша шурик юрик гера ваня дуся \
     хусейн рахим сардор бобур шухрат отабек улугбек бекзат ержан алишер нодира гульбахор дилфуза нилуфар зафар бахром фируза фаррух турсун \
     нгуен ван ли вэй джон майкл мария анета агнешка пьер жак ганс клаус юрген али мустафа ахмет эмре мехмет \
     rukhsana femi olu ngozi kofi kwabena siti nur aiko hiro kenji mei-ling xiao wei lin yan-ling deshawn darnell keisha tanisha jamal malik aaliyah abby abdul abdullah abdurrahman abigail ada adel adele adnan adrian adriana agatha agnes agnieszka ahmed aidan aigul ainur aisha alan alana \
     alastair albert alberto aldo alejandro alessandra alessandro alessia alexis alfie alfred ali alicia alisa alison alistair allison alma alvin alyssa \
     amelia amina amir amira amit amos amparo ana anand anastasia anatoly anders andre andres aneta angel angela angelica angelina angus anita anjali anke annabel \
     anneke annegret annette annika antoine anton antonia antonio antonina anya april archie ariana arjun arkady arlene armando armen arnold arseny artem artur artyom arvind \
     asel ashley ashok astrid asya aubrey audrey august austin ava avery axel aylin ayesha azamat azat bart bastian beatrice beatriz beauregard becky bekzat bella ben bernadette bernard \
     bernd bert bertha beryl bess beth bethany betty beverly bianca bill billy birgit bjorn blake bob bobby bogdan boris brad bradley brandon brenda brendan brent bridget \
     brigitte brit britta bronwen bruce bruno bryan bryony callum calvin camila camille carl carla carlos carmen carol carolina carolyn carrie casey cassandra cecilia \
     cedric celeste celia chad chandra chantal charlene chelsea cheryl chiamaka chiara chidi chloe christa christian christiane christine christoph cindy claire clara clarence claude claudia claudio clemens clement clive \
     clyde colin colleen connor conor corinne craig crystal curtis cynthia cyril dagmar daisy dale damian damir damon dan dana daria darina darius darlene darren daryl dasha dave dawn dean deborah \
     debra declan deepa deirdre delia della delphine demetrius denise dennis derek dermot desmond devon dexter diane diego dieter dilara dilys dina dinara dino dirk dmitri dmitrii dmitriy dolores dominic dominik don donna dora doreen doris douglas duncan dustin dwayne dylan earl ebony eddie edgar edith edmund eduard eduardo edwin eileen ekaterina elaine elchin eldar eli elias elif elijah elina elisa ella elmira eloise elsa elsie elvira emeka emil emilia emilio emine enid enrique enzo erica erika erik erin ernest esmeralda esteban estelle esther ethel etienne euan eunice evan evangeline eve evelyn evgenia evgenii evgeniy ewan ewa fabian fabio faith farida farrukh fatima faye federico felicity felix ferdinand fergus fernando ffion fiona flora florence florian fran frances francesca francesco francis francisco francois frank franz fred freda freddie frederick freya friedrich fyodor gabriel gabriela gail galina gareth garry gavin gemma gene genevieve geoff geoffrey georgia georgina gerald gerard gerd gerhard gert gianni gideon gilbert gillian gina giorgi giorgio giovanni giulia giuseppe gladys glen glenda glenn gloria godfrey gordon grace graham grant greg gregor gregory greta gretchen guido guillermo gulnara gulshat gunther gus gustav guy gwen gwendolyn hal hamish hank hannes hans harold harriet harvey hasan hassan hazel heather hector heidi heike heinrich heinz helena helga helmut hendrik herbert herman hilary hilda holger holly hope horst howard hugh hugo humphrey husain ian ibrahim ida ignacio ilona ilaria ilgiz ilse ilshat ilya imogen ines inga inge ingrid inna iona irena irene iris irma isaac isabel isabelle isla ismail ivo ivy jackie jackson jacqueline jade jaime jake jamal jamie jan jana janet janice jasmine javier jay jayne jeff jeffrey jemima jens jeremy jerome jerry jess jesse jesus jill jo joachim joana joanna joanne jody joel johan johann johanna johannes jon jonas jordan jorg jorge jose josef josefina josephine joy joyce juan juana judith judy juliana julian juliette june jurgen justin kai kamila kamil kara karim karin karina karl karla karolina kasia katarina katarzyna kate katerina kathleen kathrin kathryn katja katrina katya kay kayla kayleigh kaylee keira ken kendra kenneth kerry kerstin khadija kiara kieran kim kimberly kira kirsten kirsty klara klaus kristen kristin kristina kristof kurt kwame kyle lakshmi lana lance lara larissa lars latoya laurence lauri laurie lawrence lea leah leanne lee leila leon leona leonard leonardo leonie leopold leroy lesley leslie lester lev levi lewis lia liam liana lidia lila lilian liliana lillian lilly lily lina lindsay lionel lisbeth liz lloyd lola lorena lorenzo loretta lorna lorraine lottie lou louise luba luca lucia luciana lucretia lucinda ludmila ludwig luigi luis luisa lukas lydia lynn lyubov lyudmila mabel maddie madeleine madina mae maeve magda magdalena maggie magnus mahmoud maisie maja malcolm malik manfred manuel manuela mara marc marcel marcella marcia marco marcos marcus marek margarita margot marguerite maria mariam mariana marianne marie mariela marilyn mario marion marisa marisol marjorie marlene marta martha martha martina marvin mateo mathias mathilda matilda matt matthias maud maureen maurice mauro max maxine maya meera mehmet mei mel melanie melvin mercedes meredith merve mia micah mick miguel mila milan mildred miles milena milo minh mira miranda miriam mirjam mitch mo mohamed mohammed moira moses molly mona monica monika morag morgan morwenna muhammad murat muriel murray mustafa myra myron myrtle nadezhda nadia nadine nancy naomi nasser nastya natasha neil nelly nelson nerys neville niall niamh nick nicola nicole niels nigel nige nikhil nikolai nils nora norbert noreen norma norman nuno nurlan nyla odette oksana olaf olena olivier olwen omar ophelia orla orlando osman otis ottilie otto owen pablo paige paloma paola paolo parisa pascal pat patience patrice patricio patsy patty paula pauline pearl pedro peggy penelope penny percy peregrine perry petra petros phil philippa phoebe phyllis pierre pilar piotr polly poppy portia prakash precious preston prisca priscilla priya quentin quincy rachael rafael rahul raisa raj ralph ramon ramona randall randy raphael rashid raul ravi ray rebekah reece reg reggie regina reinhard reinhold renata rene renee reuben rex rhiannon rhoda rhonda rhys ricardo rick ricky rima rina rita rob robbie roberta roberto robin robyn rocco rochelle rod roderick rodney rodrigo roland rolf romain romy ron ronan ronnie rory rosa rosalie rosalind rosanna rose rosemary ross rowan rowena roxanne roy ruben rudolf rudy rupert russell rustam ruslana ruta sabine sabina sabrina sadie said sal sally salma salvatore samir samira sana sandeep sandy sanjay santiago sara saskia saul sean sebastian selina selma semyon serena serge sergei sergio sergiy seth shamil shane shannon shari shaun shauna shawn sheila shelley sherry shirley siegfried sigrid silas silke silvia simone sinead siobhan slava solange sonia sonja sonya sophia soren spencer stacey stan stanislav stefan stefanie stella stephan stephane sterling stewart stuart sue sunil susanne suzanne svenja svetlana sven sybil sylvia sylvie tamara tamika tania tanja tanya tara tariq tatjana tatyana ted teresa terence terri terry tess tessa thea theo theodore theresa thibault thierry thilo thora tiago tibor tiffany tilly timur tina tobias toby todd tom tomas tomasz tommy toni tracey tracy travis trevor tricia tristan trudy tsvetana tuan tyrell tyrone ulrich ulrike ulyana umar una ursula uwe valentin valentino valeria valeriy valerie valery vanessa vasily vasiliy vaughn velma venus vera verena vernon veronica veronika vijay viktor viktoria vince viola violet violetta virgil virginia vishal vitaly vivian viviana vivienne vlad vladislav volodymyr vsevolod vyacheslav wade wallace wally walt wanda warren wayne werner wesley whitney wilbur wilfred wilhelm will willa willard willie willow wilma winifred winston wojciech wolfgang xavier xenia yakov yan yaroslav yegor yelena yevgeny yolanda yosef yuki yusuf yvette yvonne zach zainab zane zara zarina zbigniew zeynep zhanna zinaida zlata zoltan zoya zsofia zulfiya zurab \
     andrei andrej alexei aleksandr aleksei aleksey arkadiy anatoliy gennady grigoriy iurii kseniia mariia mikhail nataliya nadya nikolay pasha petya sasha sergey sergei seryozha stepan svetlana tolya vanya vasya vitya vova yulia yuliya yury yurii zhenya dima lena misha katya masha kolya kostya lyosha lyuba nastia natasha olya roma sveta tanya vika tonya"
        .split_whitespace()
        .collect()
});

/// Names that are common words too: believed only with another name or a greeting beside them.
const WORDS_TOO: &str = "will hope grace faith joy may june april august rose mark bill art pat grant chase drew jack rob sue don \
     van ван роза вера надежда любовь лев слава майя злата лада нора мила мира ким ли май марта guy penny \
     dale sandy pearl";

/// Whether a word, folded, is a given name.
pub(super) fn is_known(low: &str) -> bool {
    MORE.contains(low) || is_given(low)
}

/// Whether a word, folded, is a given name and nothing else.
pub(super) fn is_surely(low: &str) -> bool {
    is_known(low) && !one_of(WORDS_TOO, low)
}

/// Whether a word, folded, has the ending of a patronymic, in either script.
pub(super) fn is_patronymic(low: &str) -> bool {
    low.chars().count() > 5
        && [
            "ович",
            "евич",
            "ильич",
            "мич",
            "кич",
            "овна",
            "евна",
            "ична",
            "инична",
            "ovich",
            "evich",
            "ovna",
            "evna",
            "ichna",
            "оглы",
            "кызы",
        ]
        .iter()
        .any(|end| low.ends_with(end))
}
