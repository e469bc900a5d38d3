//! Ordinary goods and services by their names, of many trades: what a product's name is built around.

use std::collections::HashSet;
use std::sync::LazyLock;

/// In the nominative, and other forms that Snowball does not lead back.
const RUSSIAN: &str = "лупа таблетница скейт скейтборд пазл мультиварка кофеварка соковыжималка мясорубка вафельница аэрогриль отпариватель парогенератор стайлер очиститель осушитель бойлер водонагреватель беседка качели батут бассейн мангал коптильня казан сковорода контейнер органайзер этажерка пуф пуфик банкетка тахта раскладушка шезлонг ширма жалюзи тюль покрывало наматрасник простыня пододеяльник наволочка прихватка плащ ветровка дубленка шуба комбинезон водолазка лонгслив толстовка худи джемпер сарафан бриджи лосины слипоны мокасины лоферы ботильоны валенки угги галоши босоножки сандалии шлепанцы портфель клатч косметичка брелок варежки палантин кепка панама автокресло манеж люлька ходунки конструктор глобус микроскоп телескоп скрипка флейта синтезатор гарнитура маршрутизатор модем тонер геймпад видеокарта аккумулятор удлинитель стабилизатор объектив дрон квадрокоптер перфоратор болгарка лобзик рубанок стремянка домкрат газонокосилка секатор тачка саженец саженцы когтеточка переноска ошейник поводок террариум термометр стельки чайник термопот утюг отпариватель пылесос робот-пылесос мультиварка скороварка пароварка блендер миксер тостер микроволновка духовка холодильник морозилка морозильник стиралка посудомойка кофемашина кофеварка кофемолка \
    мясорубка соковыжималка хлебопечка вафельница йогуртница фритюрница гриль электрогриль аэрогриль сковорода сковородка кастрюля сотейник казан ковш противень форма тарелка тарелки чашка кружка бокал стакан сервиз ложка вилка нож ножи термос термокружка \
    контейнер доска скатерть салфетка полотенце плед покрывало одеяло подушка наволочка простыня пододеяльник белье постельное матрас наматрасник кровать диван кресло кресло-качалка пуфик пуф стол столик стул табурет табуретка тумба тумбочка комод шкаф шкаф-купе \
    стеллаж полка вешалка зеркало ковер ковра ковры коврик штора шторы занавеска тюль карниз жалюзи люстра лампа лампочка светильник торшер бра ночник гирлянда абажур ваза рамка картина часы-настенные будильник свеча подсвечник кухня гарнитур прихожая \
    стенка раскладушка гамак качели мангал барбекю шатер зонт тент палатка спальник рюкзак сумка чемодан кошелек портмоне ремень зонтик перчатки перчатка варежки шапка шарф платок кепка панама пальто куртка пуховик пуховичок шуба дубленка плащ ветровка жилет \
    свитер кардиган толстовка худи футболка рубашка блузка блуза платье сарафан юбка брюки джинсы шорты леггинсы лосины колготки носки трусы бюстгальтер лифчик пижама халат купальник плавки костюм пиджак комбинезон боди ползунки кофта кофточка водолазка туника \
    туфли кроссовки кроссы кеды ботинки сапоги сапожки босоножки сандалии тапочки тапки угги валенки балетки мокасины лоферы полуботинки бутсы коньки лыжи сноуборд ролики самокат электросамокат велосипед велик скейт скейтборд гироскутер тренажер дорожка эспандер \
    гантели гантеля штанга мяч ракетка шлем очки маска ласты удочка спиннинг катушка лодка весло мотор палки степпер батут турник коврик-для-йоги велотренажер гитара укулеле пианино синтезатор скрипка барабан усилитель микрофон колонка колонки саундбар наушники \
    телевизор телик монитор ноутбук ноут компьютер планшет смартфон айфон клавиатура мышка принтер сканер картридж роутер флешка видеокарта процессор приставка плейстейшн джойстик геймпад проектор фотоаппарат камера объектив штатив дрон квадрокоптер часики смарт-часы \
    фитнес-браслет браслет зарядка зарядник кабель пауэрбанк чехол переходник удлинитель батарейки аккумулятор дрель шуруповерт перфоратор болгарка лобзик пила бензопила электропила рубанок шлифмашинка отвертка молоток ключи набор-инструментов лестница стремянка \
    газонокосилка триммер культиватор мотоблок секатор лопата грабли шланг насос теплица парник рассада семена саженец саженцы луковицы грунт удобрение горшок кашпо краска обои плитка ламинат линолеум паркет дверь замок ручка-дверная смеситель кран раковина унитаз ванна \
    душевая-кабина кабина полотенцесушитель бойлер водонагреватель радиатор обогреватель конвектор тепловентилятор кондиционер вентилятор увлажнитель очиститель фильтр счетчик розетка выключатель сейф видеодомофон сигнализация резина шина шины покрышка колеса диски автокресло видеорегистратор регистратор навигатор магнитола \
    автошины коляска манеж кроватка ходунки стульчик люлька слинг подгузники памперсы бутылочка соска пустышка игрушка игрушки кукла конструктор лего пазл машинка мишка кубики мозаика самосвал железная-дорога книга книги книжка двухтомник учебник учебники энциклопедия \
    тетрадь тетради ручки карандаши фломастеры краски альбом пенал глобус календарь открытка ежедневник парты парта бумага картриджи ламинатор шредер степлер кассовая-лента лента этикетки стаканы корм кормушка лежанка домик когтеточка переноска клетка аквариум террариум поводок ошейник шлейка наполнитель миска \
    лекарство лекарства таблетки витамины бинт бинты градусник термометр тонометр ингалятор небулайзер глюкометр бандаж корсет костыли ортез аптечка мазь сироп капли спрей шприцы пластырь линзы слуховой-аппарат массажер протеин гейнер креатин назвин називин крем гель шампунь бальзам лосьон сыворотка помада тушь тени пудра духи парфюм туалетная-вода \
    дезодорант мыло скраб лак фен плойка выпрямитель эпилятор бритва триммер машинка-для-стрижки щетка ирригатор весы торт торт-мороженое пирог пирожные печенье конфеты шоколад пряники зефир варенье мед чай кофе пицца роллы суши бургер набор корзина фрукты ягоды сыр колбаса мясо рыба икра вино \
    букет цветы розы тюльпаны пионы хризантемы орхидея гортензия фикус фиалка елка елочка гирлянды фейерверк салют салюты кулон кольцо серьги сережки цепочка подвеска брошь запонки колье ожерелье курс вебинар подписка сертификат абонемент экскурсия уборка клининг установка монтаж ремонт химчистка доставка-еды \
    фонарь фонари фонарик рация тележка каска респиратор спецодежда ведро швабра сушилка гладильная-доска таз бак мусорка батарея электрочайник бензокоса компрессор генератор сварка рисоварка сигвей моноколесо беговел снегокат санки тюбинг ледянка пуанты кимоно ракетки бейсболка дождевик резинка помидоры терка дуршлаг турка френч-пресс \
    самовар скороварка картошка овощи лейка опрыскиватель кормушки попона вакууматор шуруповёрт сноуборды трость ходули мышь видеоняня радионяня стерилизатор молокоотсос пеленки пеленка конверт распашонка видеозвонок жесткий-диск ssd материнка блок-питания кулер корпус-компьютерный сушка матрац столешница мойка вытяжка плита варочная-панель панель печка печь камин";

/// Pairs of an adjective and a noun that is no product alone.
const PAIRS: &[(&str, &str)] = &[
    ("стиральн", "машин"),
    ("посудомоечн", "машин"),
    ("швейн", "машинк"),
    ("швейн", "машин"),
    ("беговая", "дорожк"),
    ("входн", "двер"),
    ("микроволнов", "печ"),
    ("зубн", "щетк"),
    ("постельн", "бел"),
    ("детск", "площадк"),
    ("газов", "плит"),
    ("кофейн", "машин"),
    ("наручн", "час"),
    ("настенн", "час"),
    ("умн", "час"),
    ("дет", "кроватк"),
    ("мобильн", "телефон"),
    ("зимн", "резин"),
    ("летн", "резин"),
];

/// Words that are goods only in this very form, or only with a brand.
const EXACT: &str = "часы часов духи книгу книги ключи ручки чай кофе плита плиту панель мойка мойку сушка сушку";

/// In English, singular.
const ENGLISH: &str = "kettle toaster blender mixer fryer iron steamer vacuum hoover cooker oven microwave fridge refrigerator freezer dishwasher washer dryer drier grinder juicer grill hob stove cooktop machine maker pan pans pot pots wok saucepan skillet knife knives plate plates bowl bowls mug mugs cup cups glass glasses cutlery tins \
    flask thermos tablecloth towel towels blanket duvet pillow pillows pillowcase sheets linen quilt mattress topper bed sofa couch armchair chair chairs stool stools bench desk table wardrobe dresser drawers cupboard cabinet shelf shelves bookcase bookshelf sideboard nightstand mirror rug carpet curtain curtains blinds lamp lamps lampshade chandelier lantern light lights bulb bulbs candle candles vase vases frame painting clock \
    hammock swing gazebo parasol umbrella tent rucksack backpack bag bags box handbag suitcase luggage wallet purse belt gloves mittens hat cap beanie scarf coat jacket parka raincoat fleece vest waistcoat sweater jumper cardigan hoodie sweatshirt shirt shirts t-shirt tshirt blouse dress skirt skirts trousers jeans shorts leggings tights socks pyjamas pajamas robe dressing-gown swimsuit bikini suit blazer \
    dungarees overalls shoes trainers sneakers boots sandals slippers heels loafers wellies skates skis ski snowboard scooter bicycle bike e-bike skateboard hoverboard treadmill dumbbells dumbbell kettlebell barbell ball racket racquet helmet goggles mask fins rod reel kayak paddle wetsuit trampoline mat mats rower guitar ukulele piano keyboard violin drum drums amplifier amp microphone speaker speakers soundbar headphones earphones earbuds airpods headset \
    television tv monitor laptop notebook macbook computer pc tablet ipad smartphone iphone mouse printer printers scanner cartridge cartridges router projector camera lens tripod drone console playstation xbox controller gamepad smartwatch watch watches tracker charger cable powerbank adapter battery batteries drill screwdriver saw chainsaw sander jigsaw hammer wrench toolbox ladder mower lawnmower strimmer trimmer shears spade shovel rake hose \
    pump greenhouse seeds seedlings bulbs compost fertiliser fertilizer planter paint wallpaper tiles laminate flooring door doors lock tap faucet sink basin toilet bathtub shower boiler radiator heater conditioner fan humidifier purifier dehumidifier filter thermostat doorbell safe tyre tyres tire tires wheel wheels dashcam pushchair pram stroller buggy playpen cot crib highchair carseat nappies diapers toy toys doll lego puzzle puzzles teddy book books textbook textbooks novel encyclopedia \
    notebook notebooks pens pencils calendar diary planner cards paper envelopes labels stapler boxes cartons food feed kibble litter cage hutch hay kennel aquarium tank terrarium leash lead collar harness scratcher tree medicine medication tablets pills vitamins bandages bandage thermometer inhaler nebuliser nebulizer glucometer brace ointment syrup drops lenses sunglasses spectacles massager protein supplement cream gel shampoo conditioner balm lotion serum lipstick mascara perfume cologne deodorant soap \
    hairdryer straightener straighteners curler epilator razor shaver toothbrush scales scale cake cakes pie biscuits cookies chocolate chocolates sweets candy honey jam tea coffee pizza sushi burger hamper basket fruit cheese sausages meat fish caviar wine bouquet flowers roses tulips peonies lilies orchid hydrangea bonsai plant plants ring earrings necklace pendant bracelet brooch cufflinks chain course subscription membership voucher cleaning installation repair assembly service \
    torch flashlight lantern trolley vest ladders apron bin buckets bucket mop generator compressor welder sledge pressure-cooker monitors tonometer set sets uniform uniforms cover covers case headboard footstool recliner futon bunk ottoman loom yarn fabric easel brushes telescope binoculars microscope globe chess board games game vinyl turntable stairlift walker bag pouch duffel parcel-shelf roof-rack bracket mount stand tripod washers beans syrup powder mixer humidor cleaner \
    footrest shredder crate loaf loaves croissant croissants pies pastries muffins brownies cupcakes doughnuts bagels sourdough dictionary atlas crosswords thesaurus puppet puppets plushie figurine figurines \
    heater flakes panel panels rack rail rails jack sleeve kit kits tubes tube bits vac tile bollard trellis pergola hutches coop birdhouse nestbox feeder feeders waterer trough saddle bridle rug halter stirrups \
    sander router nailer clamp clamps vice pliers spanner spanners socket sockets hinge hinges handles handle knob knobs screws nails bolts anchors sealant grout primer varnish brush roller rollers lightbulb lightbulbs downlight downlights \
    ups webcam microphone mic turntable subwoofer receiver amp headset dock hub ssd harddrive motherboard gpu graphics ram stylus e-reader kindle chromecast doorbell dehumidifier airfryer cooktop rangehood teapot coffeepot cafetiere percolator ramekin ramekins teaspoons spoons forks chopsticks colander sieve grater whisk spatula peeler \
    apron oven-gloves tray trays jar jars bottle tumbler tumblers decanter carafe wineglasses coasters placemats runner cushion cushions throw throws bedspread quilts valance divan headboard bassinet moses-basket bouncer walker teether bib bibs onesie onesies romper rompers sleepsuit sleepsuits \
    sari saree kurta lehenga dupatta shawl poncho kimono gown tuxedo tie ties bowtie cravat braces suspenders vests bra bras knickers briefs boxers nightie nightgown slippers moccasins clogs espadrilles flip-flops brogues wellingtons gaiters balaclava headband hairband scrunchies wig wigs \
    kettlebells weights barbells exercise-bike elliptical crosstrainer yoga-mat foam-roller resistance-bands skipping-rope shuttlecocks cricket-bat golf-clubs clubs putter snorkel flippers lifejacket canoe dinghy surfboard paddleboard bodyboard climbing-shoes carabiner sleeping-bag bivvy cooler coolbox \
    stroller-cover booster playmat rocker puzzle jigsaws jigsaw blocks dollhouse kite drone marbles slime playdough crayons markers pens inks paints canvases canvas sketchbook sketchbooks beads wool knitting-needles crochet sewing-machine overlocker iron-on stencil stencils stickers \
    mulch topsoil gravel pavers turf sprinkler hosepipe wheelbarrow secateurs loppers chainsaws leafblower blower hedgetrimmer incinerator waterbutt sundial birdbath gnome gnomes hanging-basket fern ferns succulent succulents cactus cacti rosebush shrub shrubs saplings sapling tubers hyacinths daffodils snowdrops geraniums begonias \
    dashcam wipers battery-charger spark-plugs exhaust bumper roofbox towbar jumpleads carmats mudguard mudguards pannier panniers saddlebag inner-tube innertube derailleur cassette pedals handlebars \
    insoles orthotics crutches wheelchair commode rollator hearing-aid dentures nebulizer oximeter sphygmomanometer bandages plasters gauze antiseptic lozenges inhalers moisturiser moisturizer sunscreen concealer foundation eyeliner nail-polish candleholder diffuser incense advent-calendar stollen panettone hampers nougat marmalade chutney granola muesli \
    locker lockers filing-cabinet whiteboard flipchart lectern signage banners lanyard lanyards toner binder binders folders laminator guillotine barstool barstools beanbag banquette workbench pegboard shelving racking mezzanine";

/// English words that are goods only where something says so.
const DOUBTFUL: &str = "doorbell bag bell iron light lights glass glasses cup cups ring set sets service course case cover covers cards paper board game games machine maker food lead tree stand mount door doors tap bed table desk watch safe lock book books frame drops feed bench light plant plants mouse battery batteries fan tank tablet tablets pump cleaning repair assembly installation subscription membership voucher card box boxes bag bags charger cable adapter filter filters case chain scale scales bulb bulbs toilet shower swing cap heels ball mask sheets sink seeds lens tracker parcel tv pc basket meat fish panel panels rack rail jack sleeve kit kits tube tubes bits hub dock iron throw runner tie ties block blocks clubs weights handle handles bottle jar tray jars trays nails bolts screws socket sockets foundation markers figurine exhaust receiver roller router crate brush cassette folders ups ram mic bouncer walker rocker cooler booster canvas beads turf gravel cushion mug paints folder wheelchair crutches pedals bumper blower ";

static RU: LazyLock<HashSet<String>> =
    LazyLock::new(|| RUSSIAN.split_whitespace().flat_map(|word| forms(&word.replace('ё', "е"))).collect());
static EN: LazyLock<HashSet<&'static str>> = LazyLock::new(|| ENGLISH.split_whitespace().collect());
static UNSURE: LazyLock<HashSet<&'static str>> = LazyLock::new(|| DOUBTFUL.split_whitespace().collect());

/// A noun in all its cases and numbers, by its ending; what is no word does no harm.
fn forms(noun: &str) -> Vec<String> {
    let cut = |letters: usize| noun.char_indices().rev().nth(letters - 1).map_or("", |(at, _)| &noun[..at]);
    let (stem, endings): (&str, &[&str]) = match noun {
        _ if noun.ends_with("ое") || noun.ends_with("ее") => {
            (cut(2), &["ое", "ого", "ому", "ым", "ом", "ее", "его", "ему", "им", "ем"])
        }
        _ if noun.ends_with("ая") => (cut(2), &["ая", "ой", "ую"]),
        _ if noun.ends_with('а') => (cut(1), &["а", "ы", "и", "е", "у", "ой", "ей", "ою", "ам", "ами", "ах", ""]),
        _ if noun.ends_with('я') => (cut(1), &["я", "и", "е", "ю", "ей", "ям", "ями", "ях", "й", "ь"]),
        _ if noun.ends_with('ь') => (cut(1), &["ь", "и", "ью", "ям", "ями", "ях", "ей", "я", "ю", "ем", "е"]),
        _ if noun.ends_with('й') => (cut(1), &["й", "я", "ю", "ем", "е", "и", "ев", "ям", "ями", "ях"]),
        _ if noun.ends_with('о') => (cut(1), &["о", "а", "у", "ом", "е", "ам", "ами", "ах", ""]),
        _ if noun.ends_with('е') => (cut(1), &["е", "я", "ю", "ем", "и", "ям", "ями", "ях", "й", "ев"]),
        _ if noun.ends_with(['ы', 'и']) => {
            (cut(1), &["ы", "и", "ов", "ев", "ей", "ам", "ами", "ах", "ям", "ями", "ях", ""])
        }
        _ => (noun, &["", "а", "у", "ом", "ем", "е", "ы", "и", "ов", "ев", "ей", "ам", "ами", "ах"]),
    };
    let mut all: Vec<String> = endings.iter().map(|ending| format!("{stem}{ending}")).collect();
    // «Сумок», «тарелок», «замка», «ковриков».
    for (end, endings) in [("ка", ["ок", "ек", "ок"]), ("ки", ["ок", "ек", "ок"])] {
        if let Some(stem) = noun.strip_suffix(end) {
            all.extend(endings.iter().map(|ending| format!("{stem}{ending}")));
        }
    }
    for end in ["ок", "ек"] {
        if let Some(stem) = noun.strip_suffix(end) {
            all.extend(
                ["ка", "ку", "ком", "ке", "ки", "ков", "кам", "ками", "ках"]
                    .iter()
                    .map(|ending| format!("{stem}{ending}")),
            );
        }
    }
    all
}

/// Words whose forms are those of goods and that are none.
const NONE: &str = "час часа часу часом часам часик часики курсе дух духа духу мед медленно духом набора набору доставка доставки тени тенью тень формально форма формы форму форме ручкой ключом кран крана палки диске диска звонок звонка звонки коробка коробку коробки пакет пакеты пакета стену домики домик корзине корзина корзину бак бака ремни прогулки ленту-новостей \
    мед медом меда ван вана кабине панели машине чая форм цвет цвета цвете цветом";

/// Whether a word, folded, is the head of a product's name.
pub(super) fn is_goods(low: &str) -> bool {
    if low.chars().any(crate::engine::words::is_cyrillic) {
        if EXACT.split_whitespace().any(|word| word == low) {
            return true;
        }
        return !NONE.split_whitespace().any(|word| word == low) && RU.contains(low);
    }
    EN.contains(low) || singular(low).is_some_and(|low| EN.contains(low))
}

/// An English word without its plural.
fn singular(low: &str) -> Option<&str> {
    low.strip_suffix("es").or_else(|| low.strip_suffix('s')).filter(|low| low.len() > 2)
}

/// Whether it takes more than the word to believe it.
pub(super) fn is_doubtful(low: &str) -> bool {
    UNSURE.contains(low)
        || singular(low).is_some_and(|low| UNSURE.contains(low))
        || EXACT.split_whitespace().any(|word| word == low)
}

/// Whether an adjective makes the noun after it a product: «стиральная машина».
pub(super) fn is_pair(adjective: &str, noun: &str) -> bool {
    PAIRS.iter().any(|(first, second)| adjective.starts_with(first) && noun.starts_with(second))
}
